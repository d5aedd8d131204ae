//! `ringtrue lab`.

use ringtrue_lab::{Lab, LabConfig, LabError, LabOptions};

use crate::args::LabInitArguments;
use crate::exit::{Exit, Failure};
use crate::settings::unix_now;

/// Makes a lab, or adds numbers to one that is there.
pub(crate) fn init(arguments: &LabInitArguments) -> Result<Exit, Failure> {
    let now = unix_now();
    let mut config = LabConfig::default();
    if let Some(base) = &arguments.base {
        let base = ringtrue::BaseUrl::parse(base).map_err(Failure::of("--base"))?;
        config.base_url = base.as_str().to_owned();
    }
    let options = LabOptions {
        config,
        overwrite: false,
    };
    match Lab::create(&arguments.dir, &arguments.numbers, &options, now) {
        Ok(_) => {}
        Err(LabError::Exists) => Lab::open(&arguments.dir)
            .and_then(|lab| lab.add_numbers(&arguments.numbers, now))
            .map_err(Failure::Lab)?,
        Err(error) => return Err(Failure::Lab(error)),
    }
    let dir = arguments.dir.display();
    anstream::println!("Lab in {dir}: {} number(s). Next:", arguments.numbers.len());
    anstream::println!("  ringtrue cps serve --lab {dir}");
    Ok(Exit::Good)
}
