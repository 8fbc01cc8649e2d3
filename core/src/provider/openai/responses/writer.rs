//! Writes the members of a request that the server takes, and notes the others.

use crate::codec::Object;
use crate::error::Error;
use crate::json::Value;
use crate::provider::Notes;
use crate::provider::openai::dialect::Dialect;

pub(super) struct Writer<'a> {
    pub dialect: &'a Dialect,
    pub name: &'a str,
    pub notes: &'a mut Notes,
    pub body: Object,
}

impl Writer<'_> {
    pub fn put(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        insert(&mut self.body, name, value);
    }

    pub fn put_if(
        &mut self,
        taken: bool,
        name: &'static str,
        value: Option<impl Into<Value>>,
    ) -> Result<(), Error> {
        if value.is_some() && !taken {
            return self.cannot(name);
        }
        self.put(name, value);
        Ok(())
    }

    pub fn cannot(&mut self, param: &str) -> Result<(), Error> {
        self.notes.unsupported(param, format!("{} takes no {param}", self.name))
    }
}

pub(super) fn insert<T: Into<Value>>(object: &mut Object, name: &'static str, value: Option<T>) {
    if let Some(value) = value {
        object.insert(name, value);
    }
}
