//! The checked-in budget: one line per thing, its name and the most octets that it may take.

use crate::process::Stop;

/// Everything that has a budget, by the names that the file uses.
pub(crate) const NAMES: [&str; 3] = ["sdk-library", "firmware-library", "daemon-memory"];

/// What may be taken.
#[derive(Debug, PartialEq)]
pub(crate) struct Budget(Vec<(String, u64)>);

impl Budget {
    /// Reads the file: `NAME OCTETS`, empty lines, and comments from `#` on.
    ///
    /// # Errors
    ///
    /// One sentence naming the line. A name that is unknown, doubled or missing is an error: a slip of
    /// the pen must not lift a limit.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut entries: Vec<(String, u64)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let fault = |why: &str| format!("line {}: {why}", index.saturating_add(1));
            let mut words = line.split_whitespace();
            let (Some(name), Some(octets), None) = (words.next(), words.next(), words.next())
            else {
                return Err(fault("not a name and a number"));
            };
            if !NAMES.contains(&name) {
                return Err(fault("unknown name"));
            }
            if entries.iter().any(|(other, _)| other == name) {
                return Err(fault("a second time"));
            }
            let octets = octets
                .parse()
                .ok()
                .filter(|octets| *octets > 0)
                .ok_or_else(|| fault("not a number of octets"))?;
            entries.push((name.to_owned(), octets));
        }
        match NAMES
            .iter()
            .find(|name| !entries.iter().any(|(other, _)| other == **name))
        {
            Some(missing) => Err(format!("`{missing}` is missing")),
            None => Ok(Self(entries)),
        }
    }

    /// The most octets that `name` may take.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it has no budget.
    pub(crate) fn limit(&self, name: &str) -> Result<u64, Stop> {
        self.0
            .iter()
            .find_map(|(other, limit)| (other == name).then_some(*limit))
            .ok_or_else(|| Stop::Failed(format!("{name} has no budget")))
    }

    /// Compares what was measured, and says so in one line.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] above the budget, or if `name` has none.
    pub(crate) fn compare(&self, name: &str, octets: u64) -> Result<String, Stop> {
        let limit = self.limit(name)?;
        match limit.checked_sub(octets) {
            Some(left) => Ok(format!("{name}: {octets} of {limit} octets, {left} left")),
            None => Err(Stop::Failed(format!(
                "{name}: {octets} of {limit} octets, {} too many",
                octets.saturating_sub(limit)
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "# c\nsdk-library 3 # most\n\nfirmware-library\t2\ndaemon-memory 1\n";

    #[test]
    fn the_budget_itself_is_within_it() {
        let budget = Budget::parse(WHOLE).unwrap();
        assert_eq!(
            budget.compare("sdk-library", 3),
            Ok("sdk-library: 3 of 3 octets, 0 left".to_owned())
        );
    }

    #[test]
    fn one_octet_more_fails() {
        let budget = Budget::parse(WHOLE).unwrap();
        assert_eq!(
            budget.compare("firmware-library", 3),
            Err(Stop::Failed(
                "firmware-library: 3 of 2 octets, 1 too many".to_owned()
            ))
        );
        assert!(budget.compare("other", 1).is_err());
    }

    #[test]
    fn refuses_what_would_lift_a_limit() {
        for (added, why) in [
            ("sdk-library 9", "line 6: a second time"),
            ("sdk-libary 9", "line 6: unknown name"),
            ("sdk-library", "line 6: not a name and a number"),
            ("sdk-library 9 9", "line 6: not a name and a number"),
        ] {
            assert_eq!(
                Budget::parse(&format!("{WHOLE}{added}")),
                Err(why.to_owned())
            );
        }
        for number in ["0", "-1", "3.2", "3MB", "99999999999999999999"] {
            let text = WHOLE.replace(" 3 ", &format!(" {number} "));
            assert_eq!(
                Budget::parse(&text),
                Err("line 2: not a number of octets".to_owned())
            );
        }
        assert_eq!(
            Budget::parse("sdk-library 3\ndaemon-memory 1"),
            Err("`firmware-library` is missing".to_owned())
        );
    }

    #[test]
    fn the_checked_in_file_is_one() {
        let text = include_str!("../../size-budget.txt");
        assert!(Budget::parse(text).is_ok());
    }
}
