//! The keys that seal page and resume tokens: the current one, and those before it, whose tokens are still valid.

use serde::Deserialize;
use toml::Spanned;

use super::secret::SecretRef;
use super::source::{ConfigError, SourceFile};

/// Each opens every token in turn, so that more would make a forged one expensive. A rotation needs two.
const MAX_KEYS: usize = 8;

/// An element of `token_keys`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenKeyKeys {
    file: Option<Spanned<String>>,
    env: Option<Spanned<String>>,
}

/// The keys of `token_keys`, or the only one of `token_key_file` or `token_key_env`.
pub(super) fn check(
    source: &SourceFile,
    keys: &Option<Spanned<Vec<Spanned<TokenKeyKeys>>>>,
    file: &Option<Spanned<String>>,
    variable: &Option<Spanned<String>>,
) -> Result<Vec<SecretRef>, ConfigError> {
    let only = SecretRef::either(source, file, variable, "token_key")?;
    let Some(keys) = keys else { return Ok(only.into_iter().collect()) };
    if only.is_some() {
        let problem = "both `token_keys` and a single token key are set: expected one of them";
        return Err(source.at(keys).error(problem));
    }
    if !(1..=MAX_KEYS).contains(&keys.get_ref().len()) {
        let problem =
            format!("`token_keys` has {} elements: expected 1 to {MAX_KEYS}", keys.get_ref().len());
        return Err(source.at(keys).error(problem));
    }
    let key = |key: &Spanned<TokenKeyKeys>| {
        let TokenKeyKeys { file, env } = key.get_ref();
        match (file, env) {
            (Some(file), None) => Ok(SecretRef::file(source, file)),
            (None, Some(name)) => Ok(SecretRef::variable(source, name)),
            _ => {
                let problem = "expected `file` or `env`, as in `{ file = \"token-key\" }`";
                Err(source.at(key).error(problem))
            }
        }
    };
    keys.get_ref().iter().map(key).collect()
}
