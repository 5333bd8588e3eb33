//! A fuzz target of what the server for logins answers: a code, a grant, what a token is good for.

use heat_tests::fuzz::Target;

use super::oauth::{DeviceCode, Grant, Validated};

const NOW: u64 = 1_767_225_600_000;

const ANSWER: Target = Target {
    name: "oauth_answer",
    run: answers,
    seeds: &[
        br#"{"device_code":"d","expires_in":1800,"interval":5,"user_code":"ABCDEFGH","verification_uri":"https://www.twitch.tv/activate?device-code=ABCDEFGH"}"#,
        br#"{"access_token":"a","expires_in":14124,"refresh_token":"r","scope":["moderator:read:followers"],"token_type":"bearer"}"#,
        br#"{"client_id":"c","login":"ann","scopes":["a","b"],"user_id":"141981764","expires_in":5520838}"#,
        br#"{"status":400,"message":"authorization_pending"}"#,
    ],
    words: &[
        "{", "}", "\"access_token\":\"", "\"refresh_token\":null,", "\"expires_in\":18446744073709551615,",
        "\"expires_in\":0,", "\"interval\":", "\"scopes\":null,", "\"user_id\":\"", "\"login\":\"", "null", "[", "]", "\",", "-1",
    ],
    recorded: &[],
    inputs: 20_000,
};

fn answers(bytes: &[u8]) {
    if let Ok(grant) = serde_json::from_slice::<Grant>(bytes) {
        let (refresh, end) = (grant.refresh_at(NOW), grant.ends_at(NOW));
        assert!(NOW <= refresh && refresh <= end, "{refresh} {end}");
        let shown = format!("{grant:?}");
        let token = grant.access_token.reveal();
        // Short ones stand in any text.
        assert!(token.len() < 12 || !shown.contains(token), "{shown}");
    }
    let _ = serde_json::from_slice::<DeviceCode>(bytes);
    let _ = serde_json::from_slice::<Validated>(bytes);
}

#[test]
fn any_answer_is_read_or_refused() {
    ANSWER.check();
}
