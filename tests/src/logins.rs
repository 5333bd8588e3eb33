//! A scripted server for logins, as id.twitch.tv is: devices, browsers, tokens that are refreshed, validated and revoked.
//!
//! It answers in the shapes of dev.twitch.tv/docs/authentication, keeps what it was asked, and misbehaves when it is told to. A refresh token is
//! good for one use, as that of a public client.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::patience::Watched;

/// The public client that the server knows.
pub const CLIENT: &str = "publicclient1";

/// The client that has a secret.
pub const CONFIDENTIAL: &str = "confidentialclient1";

/// Its secret.
pub const CLIENT_SECRET: &str = "hushhush1";

/// The server. It ends when it is dropped.
pub struct Logins {
    office: Arc<Watched<Office>>,
    addr: SocketAddr,
}

/// A token that was given out.
#[derive(Debug, Clone)]
struct Token {
    client: String,
    login: String,
    scopes: Vec<String>,
    is_good: bool,
}

/// A device code that waits for somebody.
#[derive(Debug, Clone)]
struct Device {
    user_code: String,
    client: String,
    scopes: Vec<String>,
    /// Who has agreed; or that somebody has refused.
    decided: Option<Result<String, ()>>,
}

/// Whose a token is, and what it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub client: String,
    pub login: String,
    pub id: String,
    pub scopes: Vec<String>,
}

/// What other servers of the scripted Twitch know of tokens and accounts.
#[derive(Clone)]
pub struct Tokens(Arc<Watched<Office>>);

impl Tokens {
    /// Whose a token is; none when it is not good.
    pub fn find(&self, token: &str) -> Option<Known> {
        let office = self.0.read();
        let found = office.access.get(token).filter(|it| it.is_good)?;
        let Token { client, login, scopes, .. } = found.clone();
        let id = office.accounts.get(&login).cloned().unwrap_or_default();
        Some(Known { client, login, id, scopes })
    }

    /// The id of an account.
    pub fn id(&self, login: &str) -> Option<String> {
        self.0.read().accounts.get(login).cloned()
    }

    /// The login of an account.
    pub fn login(&self, id: &str) -> Option<String> {
        let office = self.0.read();
        office.accounts.iter().find(|(_, it)| *it == id).map(|(login, _)| login.clone())
    }
}

/// One question, without what is secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// `device`, `token`, `validate` or `revoke`.
    pub path: String,
    /// Of `token`: the kind of grant.
    pub grant: String,
    pub status: u16,
}

#[derive(Default)]
struct Office {
    /// Login to id.
    accounts: BTreeMap<String, String>,
    devices: BTreeMap<String, Device>,
    /// Codes that a browser brings back, with client, login and scopes.
    codes: BTreeMap<String, (String, String, Vec<String>)>,
    access: BTreeMap<String, Token>,
    refresh: BTreeMap<String, Token>,
    asked: Vec<Question>,
    /// Every secret that was given out.
    secrets: Vec<String>,
    /// For how long access tokens are good, in seconds.
    lifetime: u64,
    /// What everything is answered with, while it is ill.
    ill: Option<u16>,
    number: u64,
    over: bool,
}

impl Logins {
    /// A server that knows these accounts: login and id.
    pub fn start(accounts: &[(&str, &str)]) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("failed to listen")?;
        let addr = listener.local_addr()?;
        let accounts = accounts.iter().map(|(login, id)| ((*login).to_owned(), (*id).to_owned()));
        let office = Office { accounts: accounts.collect(), lifetime: 14_400, ..Office::default() };
        let office = Arc::new(Watched::new(office));
        let server = Self { office: Arc::clone(&office), addr };
        thread::Builder::new().name("logins".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                if office.read().over {
                    return;
                }
                let office = Arc::clone(&office);
                // A connection that breaks is the asker's affair.
                thread::spawn(move || serve(&office, stream));
            }
        })?;
        Ok(server)
    }

    /// What it knows of tokens, for the other servers.
    pub fn tokens(&self) -> Tokens {
        Tokens(Arc::clone(&self.office))
    }

    /// There is one more account.
    pub fn add_account(&self, login: &str, id: &str) {
        self.office.change(|office| office.accounts.insert(login.to_owned(), id.to_owned()));
    }

    /// A token that somebody got elsewhere, with its refresh token.
    pub fn hand_out(&self, login: &str, scopes: &[&str]) -> (String, String) {
        self.office.change(|office| {
            let scopes: Vec<String> = scopes.iter().map(|it| (*it).to_owned()).collect();
            let (_, grant) = office.grant(CLIENT, login, &scopes);
            let token = |name: &str| grant[name].as_str().unwrap_or_default().to_owned();
            (token("access_token"), token("refresh_token"))
        })
    }

    /// The address for the configuration.
    pub fn address(&self) -> String {
        format!("http://{}/oauth2", self.addr)
    }

    /// Somebody opens the address of a code, and agrees as this account.
    pub fn agree(&self, user_code: &str, login: &str) -> Result<()> {
        self.decide(user_code, Ok(login.to_owned()))
    }

    /// Somebody opens the address of a code, and refuses.
    pub fn refuse(&self, user_code: &str) -> Result<()> {
        self.decide(user_code, Err(()))
    }

    fn decide(&self, user_code: &str, decided: Result<String, ()>) -> Result<()> {
        self.office.change(|office| {
            let mut devices = office.devices.values_mut();
            let device = devices.find(|it| it.user_code == user_code);
            device.context("nobody has asked for this code")?.decided = Some(decided);
            Ok(())
        })
    }

    /// Somebody opens an address in a browser, and agrees. Returns where the browser is sent.
    pub fn browse(&self, address: &str, login: &str) -> Result<String> {
        let query = address.split_once('?').context("no query")?.1;
        let mut fields = fields(query);
        let mut take = |name: &str| fields.remove(name).with_context(|| format!("no {name}"));
        ensure!(take("response_type")? == "code");
        let (client, redirect, state) = (take("client_id")?, take("redirect_uri")?, take("state")?);
        let scopes = words(&take("scope")?);
        let code = self.office.change(|office| {
            let code = office.secret("code");
            office.codes.insert(code.clone(), (client, login.to_owned(), scopes));
            code
        });
        Ok(format!("{redirect}?code={code}&scope=x&state={state}"))
    }

    /// The account's owner disconnects the program: no token of theirs is good any more.
    pub fn disconnect(&self, login: &str) {
        self.office.change(|office| {
            let tokens = office.access.values_mut().chain(office.refresh.values_mut());
            tokens.filter(|it| it.login == login).for_each(|it| it.is_good = false);
        });
    }

    /// Access tokens end early; refresh tokens stay good.
    pub fn end_access(&self) {
        self.office.change(|office| office.access.values_mut().for_each(|it| it.is_good = false));
    }

    /// For how long access tokens are good from now on, in seconds.
    pub fn set_lifetime(&self, seconds: u64) {
        self.office.change(|office| office.lifetime = seconds);
    }

    /// Answers everything with this status, until there is none.
    pub fn set_ill(&self, status: Option<u16>) {
        self.office.change(|office| office.ill = status);
    }

    /// An account has another login from now on.
    pub fn rename(&self, old: &str, new: &str) {
        self.office.change(|office| {
            if let Some(id) = office.accounts.remove(old) {
                office.accounts.insert(new.to_owned(), id);
            }
        });
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Question> {
        self.office.read().asked.clone()
    }

    /// How often this was asked, of a grant where one is named.
    pub fn count(&self, path: &str, grant: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|it| it.path == path && it.grant.contains(grant)).count()
    }

    /// Waits until something was asked so many times.
    pub fn wait_for(&self, path: &str, grant: &str, count: usize) -> Result<()> {
        let enough = |office: &Office| {
            let asked = office.asked.iter();
            let found = asked.filter(|it| it.path == path && it.grant.contains(grant)).count();
            (found >= count).then_some(())
        };
        self.office.wait(format!("{count} of {path} {grant}"), enough, |office| {
            format!("{:?}", office.asked)
        })
    }

    /// Every token, code and secret that was ever given out: none may stand where people look.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.office.read().secrets.clone();
        secrets.push(CLIENT_SECRET.to_owned());
        secrets
    }
}

impl Drop for Logins {
    fn drop(&mut self) {
        self.office.change(|office| office.over = true);
        // Wakes the thread that accepts connections, which ends.
        drop(TcpStream::connect(self.addr));
    }
}

impl Office {
    fn secret(&mut self, kind: &str) -> String {
        self.number += 1;
        let secret = format!("{kind}0secret0{:06}", self.number);
        self.secrets.push(secret.clone());
        secret
    }

    fn answer(&mut self, path: &str, form: &BTreeMap<String, String>, token: &str) -> (u16, Value) {
        if let Some(status) = self.ill {
            return (status, json!({ "status": status, "message": "we are ill" }));
        }
        match path {
            "device" => self.device(form),
            "token" => self.token(form),
            "validate" => self.validate(token),
            "revoke" => self.revoke(form),
            _ => (404, json!({ "status": 404, "message": "not found" })),
        }
    }

    fn device(&mut self, form: &BTreeMap<String, String>) -> (u16, Value) {
        let client = of(form, "client_id");
        if client != CLIENT && client != CONFIDENTIAL {
            return no("invalid client");
        }
        self.number += 1;
        let (code, user_code) = (self.secret("device"), format!("ABCD{:04}", self.number));
        let (client, scopes) = (client.to_owned(), words(of(form, "scopes")));
        let device = Device { user_code: user_code.clone(), client, scopes, decided: None };
        self.devices.insert(code.clone(), device);
        let answer = json!({
            "device_code": code, "expires_in": 1800, "interval": 1, "user_code": user_code,
            "verification_uri": format!("https://www.twitch.tv/activate?device-code={user_code}"),
        });
        (200, answer)
    }

    fn token(&mut self, form: &BTreeMap<String, String>) -> (u16, Value) {
        let client = of(form, "client_id");
        if client == CONFIDENTIAL && of(form, "client_secret") != CLIENT_SECRET {
            return (403, json!({ "status": 403, "message": "invalid client secret" }));
        }
        match of(form, "grant_type") {
            "refresh_token" => match self.refresh.remove(of(form, "refresh_token")) {
                Some(token) if token.is_good && token.client == client => {
                    self.grant(&token.client, &token.login, &token.scopes)
                }
                _ => no("Invalid refresh token"),
            },
            "authorization_code" => match self.codes.remove(of(form, "code")) {
                Some((of_client, login, scopes)) if of_client == client => {
                    self.grant(&of_client, &login, &scopes)
                }
                _ => no("Invalid authorization code"),
            },
            _ => {
                let code = of(form, "device_code").to_owned();
                match self.devices.get(&code).cloned() {
                    Some(Device { decided: None, .. }) => no("authorization_pending"),
                    Some(Device { decided: Some(Ok(login)), scopes, client, .. }) => {
                        self.devices.remove(&code);
                        self.grant(&client, &login, &scopes)
                    }
                    _ => no("invalid device code"),
                }
            }
        }
    }

    fn grant(&mut self, client: &str, login: &str, scopes: &[String]) -> (u16, Value) {
        let (access, refresh) = (self.secret("access"), self.secret("refresh"));
        let (client, login, scopes) = (client.to_owned(), login.to_owned(), scopes.to_vec());
        let token = Token { client, login, scopes: scopes.clone(), is_good: true };
        self.access.insert(access.clone(), token.clone());
        self.refresh.insert(refresh.clone(), token);
        let answer = json!({
            "access_token": access, "expires_in": self.lifetime, "refresh_token": refresh, "scope": scopes, "token_type": "bearer",
        });
        (200, answer)
    }

    fn validate(&self, token: &str) -> (u16, Value) {
        let found = self.access.get(token).filter(|it| it.is_good);
        let Some(found) = found else {
            return (401, json!({ "status": 401, "message": "invalid access token" }));
        };
        let id = self.accounts.get(&found.login);
        let answer = json!({
            "client_id": found.client, "login": found.login, "scopes": found.scopes, "user_id": id, "expires_in": self.lifetime,
        });
        (200, answer)
    }

    fn revoke(&mut self, form: &BTreeMap<String, String>) -> (u16, Value) {
        let token = of(form, "token");
        match (self.access.remove(token), self.refresh.remove(token)) {
            (None, None) => no("Invalid token"),
            _ => (200, Value::Null),
        }
    }
}

fn no(message: &str) -> (u16, Value) {
    (400, json!({ "status": 400, "message": message }))
}

fn of<'a>(form: &'a BTreeMap<String, String>, name: &str) -> &'a str {
    form.get(name).map_or("", String::as_str)
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The fields of a form or a query.
fn fields(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

pub(crate) fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = behind;
            }
            _ => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Answers one connection.
fn serve(office: &Watched<Office>, mut stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.strip_prefix("/oauth2/")?.to_owned();
    let (mut length, mut token) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok()?;
            }
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                value.strip_prefix("OAuth ")?.clone_into(&mut token);
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let form = fields(&String::from_utf8_lossy(&body));
    let (status, answer) = office.change(|office| {
        let (status, answer) = office.answer(&path, &form, &token);
        let grant = of(&form, "grant_type").to_owned();
        // First it is noted: a client that has the answer may look at once.
        office.asked.push(Question { path, grant, status });
        (status, answer)
    });
    let body = if answer.is_null() { String::new() } else { answer.to_string() };
    write!(
        stream,
        "HTTP/1.1 {status} So\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len(),
    )
    .ok()
}
