//! A reference to another resource.

use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, Clone)]
pub(crate) struct Id {
    pub(crate) id: String,
}
