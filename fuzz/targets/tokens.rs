//! Page and resume tokens: only a token that was sealed for the same purpose and request can be opened. Its content can
//! come from another release, and is decoded as any bytes.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use restore_point_gateway::model::{Purpose, Sealer, TokenError, TokenKey};
use restore_point_gateway::service;

const DAY: Duration = Duration::from_secs(86_400);

static SEALER: LazyLock<Sealer> = LazyLock::new(|| {
    Sealer::new(TokenKey::new(b"a key of at least thirty-two bytes").expect("a key"), Vec::new())
});

fuzz_target!(|data: &[u8]| {
    let now = Timestamp::UNIX_EPOCH;
    let open =
        |purpose, request: &[u8], token: &str| SEALER.open(purpose, request, token, now, DAY);

    // A token cannot be forged without the key.
    if let Ok(token) = std::str::from_utf8(data) {
        for purpose in [Purpose::Page, Purpose::Resume] {
            assert_eq!(open(purpose, b"", token), Err(TokenError::Invalid));
        }
        assert!(token.is_empty() || service::fuzzing::page_token(&SEALER, token).is_err());
    }

    // The first byte determines the length of the request, and the character of the token that is changed.
    let Some((&first, rest)) = data.split_first() else { return };
    let (request, content) = rest.split_at(usize::from(first).min(rest.len()));
    let token = SEALER.seal(Purpose::Page, request, content, now).expect("a token");
    assert_eq!(open(Purpose::Page, request, &token).as_deref(), Ok(content));
    assert_eq!(open(Purpose::Resume, request, &token), Err(TokenError::Invalid));
    let other_request = [request, b"x"].concat();
    assert_eq!(open(Purpose::Page, &other_request, &token), Err(TokenError::Invalid));
    let mut forged = token.into_bytes();
    let index = usize::from(first) % forged.len();
    forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("ASCII");
    assert_eq!(open(Purpose::Page, request, &forged), Err(TokenError::Invalid));

    for reencode in [service::fuzzing::page_content, service::fuzzing::resume_content] {
        if let Some(encoded) = reencode(content) {
            assert_eq!(reencode(&encoded), Some(encoded));
        }
    }
});
