//! How lists are cut into pages.
//!
//! The content of `$skiptoken` is invented: the service's own was never recorded.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::azure::call::Call;
use crate::azure::dto::page::Page;
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::subscription::Subscription;

/// One page of items that are sorted by a key; the token holds the key of the last item on the page.
/// `path` is the path of the list below the subscription.
pub(crate) fn page<T, B>(
    subscription: &Subscription,
    call: &Call,
    path: &str,
    sorted: impl Iterator<Item = (String, T)>,
    body: impl Fn(T) -> B,
) -> Result<Page<B>, ErrorResponse> {
    let after = call.skip_token.as_deref().map(read_token).transpose()?;
    let is_after = |(key, _): &(String, T)| after.as_ref().is_none_or(|after| key > after);
    let mut rest = sorted.filter(is_after).peekable();
    let mut value = Vec::new();
    let mut last = None;
    while value.len() < subscription.settings.page_size.max(1) {
        let Some((key, item)) = rest.next() else { break };
        last = Some(key);
        value.push(body(item));
    }
    let next_link = last.filter(|_| rest.peek().is_some()).map(|key| {
        let token = URL_SAFE_NO_PAD.encode(key);
        let Call { subscription_url, api_version, .. } = call;
        format!("{subscription_url}{path}?api-version={api_version}&$skiptoken={token}")
    });
    Ok(Page { value, next_link })
}

fn read_token(token: &str) -> Result<String, ErrorResponse> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        let message = "The value of parameter $skiptoken is invalid.";
        ErrorResponse::invalid_parameter("$skiptoken", message)
    })
}
