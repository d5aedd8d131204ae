//! Paths without dot segments.

/// The path without `.` and `..`, which may be written with `%2e` too (RFC 3986 section 5.2.4).
///
/// `path` is empty or begins with `/`; so does the result. `..` at the top leads nowhere.
pub(super) fn without_dots(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match dots(segment) {
            Some(up) => {
                if up {
                    out.truncate(out.rfind('/').unwrap_or(0));
                }
                // What is named is the folder.
                if segments.peek().is_none() {
                    out.push('/');
                }
            }
            None => {
                out.push('/');
                out.push_str(segment);
            }
        }
    }
    out
}

/// Whether a segment leads up, `None` if it is an ordinary one.
fn dots(segment: &str) -> Option<bool> {
    match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
        "." => Some(false),
        ".." => Some(true),
        _ => None,
    }
}
