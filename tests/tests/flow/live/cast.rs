//! The rules that the tests begin with, and components made from them.

use anyhow::{Result, ensure};

use crate::town::component;

/// The bytes of a rule or of a guest.
pub(crate) fn bytes(folder: &str, name: &str) -> Result<Vec<u8>> {
    Ok(std::fs::read(component(folder, name)?)?)
}

pub(crate) fn rule(name: &str) -> Result<Vec<u8>> {
    bytes("rules", name)
}

pub(crate) fn guest(name: &str) -> Result<Vec<u8>> {
    bytes("guests", name)
}

/// The rules `fave`, for `?fave`, and `decay`, whose heat never falls, with these lines more for each.
pub(crate) fn rules(fave: &str, decay: &str) -> Result<String> {
    Ok(one("fave", fave)? + &one("decay", &format!("settings.half_life = \"0s\"\n{decay}"))?)
}

/// A table of the configuration.
pub(crate) fn one(name: &str, lines: &str) -> Result<String> {
    Ok(format!("[[rule]]\nfile = {:?}\n{lines}\n", component("rules", name)?))
}

/// The same for a guest of the tests.
pub(crate) fn one_guest(name: &str, lines: &str) -> Result<String> {
    Ok(format!("[[rule]]\nfile = {:?}\n{lines}\n", component("guests", name)?))
}

/// The same rule with so many bytes more that nobody reads: another component for whoever goes by its digest.
pub(crate) fn padded(component: &[u8], bytes: usize) -> Result<Vec<u8>> {
    let name = b"padding";
    ensure!(component.starts_with(b"\0asm"), "no component");
    let mut padded = component.to_vec();
    padded.push(0);
    leb(&mut padded, 1 + name.len() + bytes);
    padded.push(name.len() as u8);
    padded.extend_from_slice(name);
    padded.extend((0..bytes).map(|place| (place % 251) as u8));
    Ok(padded)
}

fn leb(bytes: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}
