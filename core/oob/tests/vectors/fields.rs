//! A record of vectors that knows what of it was read.
use std::collections::BTreeSet;

use serde_json::Value;

use crate::{folder, unhex};

/// One file, which knows what was read from it.
pub(crate) struct Fields {
    value: Value,
    unread: BTreeSet<String>,
}

impl Fields {
    pub(crate) fn of(set: &str, file: &str) -> Self {
        let text = std::fs::read(folder(set).join(file)).unwrap();
        Self::from_value(serde_json::from_slice(&text).unwrap())
    }

    pub(crate) fn from_value(value: Value) -> Self {
        let unread = value.as_object().unwrap().keys().cloned().collect();
        Self { value, unread }
    }

    pub(crate) fn take(&mut self, name: &str) -> &Value {
        assert!(self.unread.remove(name), "{name} is missing or read twice");
        &self.value[name]
    }

    pub(crate) fn text(&mut self, name: &str) -> String {
        self.take(name).as_str().unwrap().to_owned()
    }

    pub(crate) fn octets(&mut self, name: &str) -> Vec<u8> {
        let text = self.text(name);
        match text.strip_prefix("0x") {
            // Numbers are written without their leading zeros.
            Some(number) if number.len() % 2 == 1 => unhex(&format!("0{number}")),
            Some(number) => unhex(number),
            None => unhex(&text),
        }
    }

    pub(crate) fn number(&mut self, name: &str) -> usize {
        usize::try_from(self.take(name).as_u64().unwrap()).unwrap()
    }

    pub(crate) fn require_all_read(&self) {
        assert!(self.unread.is_empty(), "unread: {:?}", self.unread);
    }
}
