//! Members of any name.

use serde_json::{Map, Value};

/// An object whose members are not described.
pub(super) type Object = Map<String, Value>;
