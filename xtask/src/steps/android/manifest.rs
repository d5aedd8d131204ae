//! Whether the services in a guide's Kotlin are those of its manifest: the system ends an application that
//! schedules a service which is not declared, and never starts the others.

use std::collections::BTreeSet;

use crate::process::Stop;

/// The name of the block that is the manifest.
const MANIFEST: &str = "AndroidManifest.xml";
/// Services that applications extend, and the permission with which each is declared.
const BASES: [(&str, &str); 3] = [
    ("RingTrueScreeningService", "BIND_SCREENING_SERVICE"),
    (
        "RingTrueRedirectionService",
        "BIND_CALL_REDIRECTION_SERVICE",
    ),
    ("RefreshJobService", "BIND_JOB_SERVICE"),
];

/// Compares the named blocks of a guide with the one that is its manifest.
///
/// # Errors
///
/// [`Stop::Failed`] if there is no manifest, or a service is in one of the two alone or under another
/// permission.
pub(super) fn check(blocks: &[(String, String)]) -> Result<(), Stop> {
    let (_, manifest) = blocks
        .iter()
        .find(|(name, _)| name == MANIFEST)
        .ok_or_else(|| Stop::Failed(format!("the guide has no block `{MANIFEST}`")))?;
    let written: BTreeSet<_> = blocks
        .iter()
        .filter(|(name, _)| name.ends_with(".kt"))
        .flat_map(|(_, text)| text.lines())
        .filter_map(service_class)
        .collect();
    let declared: BTreeSet<_> = manifest
        .split("<service")
        .skip(1)
        .filter_map(|element| element.split('>').next())
        .map(|head| {
            (
                attribute(head, "android:name=\".").unwrap_or_default(),
                attribute(head, "android:permission=\"android.permission.").unwrap_or_default(),
            )
        })
        .collect();
    if written == declared {
        Ok(())
    } else {
        Err(Stop::Failed(format!(
            "the services of the guide's code are {written:?}, those of its manifest {declared:?}"
        )))
    }
}

/// The name of a class that can be started, and the permission for its kind.
fn service_class(line: &str) -> Option<(&str, &'static str)> {
    let (name, base) = line.strip_prefix("class ")?.split_once(" : ")?;
    let (base, _) = base.split_once("()")?;
    let (_, permission) = BASES.into_iter().find(|(known, _)| *known == base)?;
    Some((name.trim_end_matches("()"), permission))
}

fn attribute<'a>(head: &'a str, before: &str) -> Option<&'a str> {
    head.split_once(before)?.1.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::check;

    const CODE: &str = "abstract class Strict : RingTrueScreeningService() {\n}\n\
                        class Job : RefreshJobService() {\n}\nclass Other : Base() {}\n";

    fn judged(services: &str) -> bool {
        let blocks = [("Setup.kt", CODE), ("AndroidManifest.xml", services)].map(|(name, text)| {
            (
                name.to_owned(),
                format!("{text}<!-- android:name=\".No\" -->"),
            )
        });
        check(&blocks).is_ok()
    }

    fn service(name: &str, permission: &str) -> String {
        format!(
            "<service\n    android:name=\".{name}\"\n    android:permission=\"android.permission.{permission}\" />\n"
        )
    }

    #[test]
    fn a_service_that_is_declared_with_its_permission_is_good() {
        assert!(judged(&service("Job", "BIND_JOB_SERVICE")));
    }

    #[test]
    fn a_service_that_is_not_declared_is_refused() {
        assert!(!judged("<application />"));
    }

    #[test]
    fn a_service_with_another_permission_or_none_is_refused() {
        assert!(!judged(&service("Job", "BIND_SCREENING_SERVICE")));
        assert!(!judged("<service android:name=\".Job\" />"));
    }

    #[test]
    fn a_service_that_nobody_wrote_is_refused() {
        let both =
            service("Job", "BIND_JOB_SERVICE") + &service("Strict", "BIND_SCREENING_SERVICE");
        assert!(!judged(&both));
    }

    #[test]
    fn a_guide_without_a_manifest_is_refused() {
        assert!(check(&[("Setup.kt".to_owned(), CODE.to_owned())]).is_err());
    }
}
