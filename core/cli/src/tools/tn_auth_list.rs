//! `ringtrue tnauthlist decode`.

use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::verification::Verdict;
use serde_json::{Value, json};

use super::args::TnAuthListArguments;
use super::explain::Explanation;
use super::output::{print, refuse};
use crate::exit::{Exit, Failure};

/// Decodes a list.
pub(crate) fn decode(arguments: &TnAuthListArguments) -> Result<Exit, Failure> {
    let list = match TnAuthList::decode(&arguments.der.0) {
        Ok(list) => list,
        Err(reason) => return refuse(arguments.json, &[reason]),
    };
    print(
        arguments.json,
        &json!({ "entries": entries(&list) }),
        || {
            let mut explanation = Explanation::of(Verdict::Accept, &[], &[]);
            for line in lines(&list) {
                explanation.line(&line);
            }
            explanation
        },
    )?;
    Ok(Exit::Good)
}

/// The entries as JSON.
pub(crate) fn entries(list: &TnAuthList) -> Vec<Value> {
    let additions = list.ignored_members_by_entry();
    let entry = |(entry, additions): (&Entry, &usize)| {
        let mut value = match entry {
            Entry::One(one) => json!({ "one": one.as_str() }),
            Entry::Range { start, count } => {
                json!({ "range": { "start": start.as_str(), "count": count } })
            }
            Entry::Spc(spc) => json!({ "spc": spc }),
            // A kind that a later version of the library knows and this command does not.
            _ => json!({}),
        };
        if *additions > 0
            && let Some(members) = value.as_object_mut()
        {
            members.insert("extension_additions".to_owned(), json!(additions));
        }
        value
    };
    list.entries().iter().zip(additions).map(entry).collect()
}

/// The entries for people.
pub(crate) fn lines(list: &TnAuthList) -> Vec<String> {
    let additions = list.ignored_members_by_entry();
    let line = |(entry, additions): (&Entry, &usize)| {
        let mut line = match entry {
            Entry::One(one) => format!("number {}", one.as_str()),
            Entry::Range { start, count } => format!("{count} numbers from {}", start.as_str()),
            Entry::Spc(spc) => format!("service provider code {spc}"),
            _ => "an entry of another kind".to_owned(),
        };
        if *additions > 0 {
            line.push_str(" (with unknown additions, which grant nothing)");
        }
        line
    };
    list.entries().iter().zip(additions).map(line).collect()
}
