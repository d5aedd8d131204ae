//! The heap of one ring in firmware: the test of the C interface that counts what is allocated.

use super::budget::Budget;
use crate::process::{self, Stop};
use crate::workspace::Workspace;

/// The test. It prints a line for each mailbox that it tries.
const TEST: &str = "tests::memory::a_ring_stays_inside_its_memory";

/// How such a line begins, and what stands before and after its figure.
const BEGINS: &str = "ring with ";
const BEFORE: &str = " blobs: ";
const AFTER: &str = " octets of heap at most";

/// Runs the test, prints its figures, and compares the largest. They are those of the machine at hand:
/// where pointers have 32 bits, less is taken.
///
/// # Errors
///
/// [`Stop::Failed`] if the test fails, prints no figure, or the figure is above the budget.
pub(super) fn measure(
    workspace: &mut Workspace,
    budget: &Budget,
    name: &str,
) -> Result<String, Stop> {
    let test = |workspace: &Workspace| {
        let mut cargo = workspace.cargo("test");
        cargo.args(["--locked", "--package", "ringtrue-c", "--lib"]);
        cargo
    };
    let mut build = test(workspace);
    workspace.run(build.arg("--no-run"))?;
    let mut run = test(workspace);
    run.args(["--", TEST, "--exact", "--nocapture"]);
    let said = process::ask(&mut run).ok_or_else(|| Stop::Failed(format!("{TEST} failed")))?;
    let mut most = None;
    for (line, octets) in figures(&said) {
        println!("{line}");
        most = most.max(Some(octets));
    }
    let most = most.ok_or_else(|| Stop::Failed(format!("{TEST} printed no figure")))?;
    budget.compare(name, most)
}

/// The lines with figures, and the figures. The runner may have begun the first of them.
fn figures(said: &str) -> Vec<(&str, u64)> {
    said.lines()
        .filter_map(|line| {
            let line = line.get(line.find(BEGINS)?..)?;
            let (_, octets) = line.strip_suffix(AFTER)?.split_once(BEFORE)?;
            Some((line, octets.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::figures;

    #[test]
    fn each_figure_is_found_behind_what_the_runner_wrote() {
        let said = "running 1 test\n\
            test tests::memory::a_ring ... ring with 5 blobs: 68000 octets of heap at most\n\
            ring with 11 blobs: 125000 octets of heap at most\nok\n";
        assert_eq!(
            figures(said),
            [
                ("ring with 5 blobs: 68000 octets of heap at most", 68_000),
                ("ring with 11 blobs: 125000 octets of heap at most", 125_000),
            ]
        );
    }

    #[test]
    fn other_lines_are_no_figures() {
        for line in [
            "",
            "ring with 5 blobs: many octets of heap at most",
            "ring with 5 blobs: 5 octets of heap",
            "5 octets of heap at most",
        ] {
            assert_eq!(figures(line), [], "{line}");
        }
    }
}
