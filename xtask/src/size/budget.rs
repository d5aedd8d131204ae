//! The checked-in budget: one line per thing, its name, the most octets that it may take, and what it
//! takes today if that is more.

use crate::process::Stop;

/// Everything that has a budget, by the names that the file uses.
pub(crate) const NAMES: [&str; 6] = [
    "sdk-library",
    "sdk-library-small",
    "firmware-library",
    "firmware-library-small",
    "firmware-heap",
    "daemon-memory",
];

/// What may be taken.
#[derive(Debug, PartialEq)]
pub(crate) struct Budget(Vec<(String, Limit)>);

/// What one thing may take, in octets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limit {
    /// What it is to take.
    pub(crate) goal: u64,
    /// Where the goal is not reached: what must not be exceeded all the same, so that nothing grows
    /// unseen in the meantime.
    pub(crate) ceiling: Option<u64>,
}

impl Limit {
    /// More than this fails.
    pub(crate) fn most(self) -> u64 {
        self.ceiling.unwrap_or(self.goal)
    }
}

impl Budget {
    /// Reads the file: `NAME GOAL` or `NAME GOAL CEILING`, empty lines, and comments from `#` on.
    ///
    /// # Errors
    ///
    /// One sentence naming the line. A name that is unknown, doubled or missing is an error, and so is a
    /// ceiling that is not above its goal: a slip of the pen must not lift a limit.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut entries: Vec<(String, Limit)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let fault = |why: &str| format!("line {}: {why}", index.saturating_add(1));
            let mut words = line.split_whitespace();
            let (Some(name), Some(goal), ceiling, None) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                return Err(fault("not a name and one or two numbers"));
            };
            if !NAMES.contains(&name) {
                return Err(fault("unknown name"));
            }
            if entries.iter().any(|(other, _)| other == name) {
                return Err(fault("a second time"));
            }
            let octets = |word: &str| {
                let octets = word.parse().ok().filter(|octets| *octets > 0);
                octets.ok_or_else(|| fault("not a number of octets"))
            };
            let goal: u64 = octets(goal)?;
            let ceiling = ceiling.map(octets).transpose()?;
            if ceiling.is_some_and(|ceiling| ceiling <= goal) {
                return Err(fault("a ceiling that is not above the goal"));
            }
            entries.push((name.to_owned(), Limit { goal, ceiling }));
        }
        match NAMES
            .iter()
            .find(|name| !entries.iter().any(|(other, _)| other == **name))
        {
            Some(missing) => Err(format!("`{missing}` is missing")),
            None => Ok(Self(entries)),
        }
    }

    /// What `name` may take.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it has no budget.
    pub(crate) fn limit(&self, name: &str) -> Result<Limit, Stop> {
        self.0
            .iter()
            .find_map(|(other, limit)| (other == name).then_some(*limit))
            .ok_or_else(|| Stop::Failed(format!("{name} has no budget")))
    }

    /// Compares what was measured, and says so in one line. Between the goal and its ceiling the line
    /// says that the goal is not reached.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] above the ceiling, or above the goal where there is none, or if `name` has no
    /// budget.
    pub(crate) fn compare(&self, name: &str, octets: u64) -> Result<String, Stop> {
        let Limit { goal, ceiling } = self.limit(name)?;
        if let Some(left) = goal.checked_sub(octets) {
            return Ok(format!("{name}: {octets} of {goal} octets, {left} left"));
        }
        let above = octets.saturating_sub(goal);
        let missed = format!("{name}: {octets} of {goal} octets, {above} too many");
        match ceiling {
            Some(ceiling) if octets <= ceiling => Ok(format!(
                "{missed}: THE GOAL IS NOT REACHED; not above the {ceiling} that it may take until then"
            )),
            Some(ceiling) => Err(Stop::Failed(format!(
                "{missed}, and above the {ceiling} that it may take until then"
            ))),
            None => Err(Stop::Failed(missed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "# c\nsdk-library 3 # most\n\nfirmware-library\t2\ndaemon-memory 1\nfirmware-library-small 1\nfirmware-heap 1\nsdk-library-small 1\n";

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
    fn between_goal_and_ceiling_it_is_said_that_the_goal_is_not_reached() {
        let budget = Budget::parse(&WHOLE.replace(" 3 ", " 3 5 ")).unwrap();
        let said = |octets| budget.compare("sdk-library", octets);
        assert_eq!(said(3), Ok("sdk-library: 3 of 3 octets, 0 left".to_owned()));
        for octets in [4, 5] {
            assert!(said(octets).unwrap().contains("THE GOAL IS NOT REACHED"));
        }
        assert_eq!(
            said(6),
            Err(Stop::Failed(
                "sdk-library: 6 of 3 octets, 3 too many, and above the 5 that it may take until then"
                    .to_owned()
            ))
        );
    }

    #[test]
    fn refuses_what_would_lift_a_limit() {
        for (added, why) in [
            ("sdk-library 9", "line 9: a second time"),
            ("sdk-libary 9", "line 9: unknown name"),
            ("sdk-library", "line 9: not a name and one or two numbers"),
            (
                "sdk-library 9 9 9",
                "line 9: not a name and one or two numbers",
            ),
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
        for ceiling in ["3", "2"] {
            let text = WHOLE.replace(" 3 ", &format!(" 3 {ceiling} "));
            assert_eq!(
                Budget::parse(&text),
                Err("line 2: a ceiling that is not above the goal".to_owned())
            );
        }
        assert_eq!(
            Budget::parse("sdk-library 3\nsdk-library-small 1\ndaemon-memory 1"),
            Err("`firmware-library` is missing".to_owned())
        );
    }

    #[test]
    fn the_checked_in_file_is_one() {
        let text = include_str!("../../size-budget.txt");
        assert!(Budget::parse(text).is_ok());
    }
}
