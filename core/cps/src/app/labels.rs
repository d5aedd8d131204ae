//! The names of methods and routes in logs and metrics.

use ringtrue_oob::http::problem::Problem;
use ringtrue_oob::http::route::Route;

/// The name of a route in logs and metrics.
pub(super) fn template(route: &Result<Route, Problem>, prefix: &str, path: &str) -> &'static str {
    match route {
        Ok(Route::Health) => "/health",
        Ok(Route::Gateway) => "/gateway",
        Ok(Route::GatewayKeys) => "/ohttp-keys",
        Ok(Route::IssuerDirectory) => "/.well-known/private-token-issuer-directory",
        Ok(Route::TokenRequest) => "/token-request",
        Ok(Route::Item { .. }) => "/cps/{number}/ppts/{id}",
        Ok(Route::Store { .. } | Route::Retrieve { .. }) => "/cps/{number}/ppts",
        Ok(Route::Lookup { .. } | Route::Publish { .. }) => "/keys/{number}",
        Err(Problem::MalformedNumber | Problem::MethodNotAllowed)
            if Route::allowed(prefix, path).is_some() =>
        {
            match Route::allowed(prefix, path) {
                Some("GET, PUT") => "/keys/{number}",
                Some("GET, POST") => "/cps/{number}/ppts",
                _ => "other",
            }
        }
        _ => "other",
    }
}

/// Methods that nobody defined are one label: a client must not be able to grow the metrics.
pub(super) fn method_label(method: &hyper::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
