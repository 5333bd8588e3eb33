//! Other builds of a component: the same code with another digest, by a custom section at its end that nobody reads.

/// The component as another build of it would be.
pub(crate) fn another(component: &[u8], number: u8) -> Vec<u8> {
    const NAME: &[u8] = b"build";
    let mut built = component.to_vec();
    // Kind of the section, its length, the length of its name, the name, and what is in it.
    let length = 1 + NAME.len() as u8 + 1;
    built.extend([0, length, NAME.len() as u8]);
    built.extend(NAME);
    built.push(number);
    built
}
