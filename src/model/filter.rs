//! x
#[derive(Debug)]
pub struct Filter;
