//! docs/contract.md says what stands in wit/, as tables: every function, event and effect with its comment. `UPDATE_EXPECT=1` writes it.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use wit_parser::{
    Docs, Function, Interface, Resolve, Type, TypeDef, TypeDefKind, TypeOwner, WorldItem,
};

use crate::stage::root;

/// What stands behind this line is written by the test.
const MARK: &str = "<!-- What follows is written by a test from wit/. -->\n";

/// The interfaces in the order in which an author meets them.
const INTERFACES: [&str; 8] =
    ["events", "effects", "about", "state", "counts", "outputs", "config", "log"];

#[test]
fn the_page_of_the_contract_says_what_the_contract_says() -> Result<()> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit"))?;
    let file = root().join("docs/contract.md");
    let page = std::fs::read_to_string(&file).context("docs/contract.md")?;
    let (words, written) = page.split_once(MARK).context("the page has lost its mark")?;
    let mut described = String::new();
    paragraphs(&mut described, &resolve.packages[package].docs)?;
    described.push_str("\n## rule\n");
    let world = resolve.packages[package].worlds.get("rule").context("no world `rule`")?;
    let world = &resolve.worlds[*world];
    paragraphs(&mut described, &world.docs)?;
    let exports = world.exports.values().filter_map(|item| match item {
        WorldItem::Function(function) => Some(function),
        _ => None,
    });
    functions(&mut described, &resolve, "It has these functions, which heatd calls:", exports)?;
    let interfaces = &resolve.packages[package].interfaces;
    ensure!(interfaces.len() == INTERFACES.len(), "an interface is left out");
    for name in INTERFACES {
        let id = interfaces.get(name).with_context(|| format!("no interface {name}"))?;
        write!(described, "\n## {name}\n")?;
        interface(&mut described, &resolve, &resolve.interfaces[*id])?;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&file, format!("{words}{MARK}{described}"))?;
        return Ok(());
    }
    ensure!(
        written == described,
        "docs/contract.md is not what wit/ says; UPDATE_EXPECT=1 writes it again"
    );
    Ok(())
}

fn interface(page: &mut String, resolve: &Resolve, interface: &Interface) -> Result<()> {
    paragraphs(page, &interface.docs)?;
    if !interface.functions.is_empty() {
        functions(page, resolve, "Functions, which a rule calls:", interface.functions.values())?;
    }
    for (name, id) in &interface.types {
        let definition = &resolve.types[*id];
        // What another interface defines is told there.
        if !is_used(resolve, definition) {
            write!(page, "\n### {name}\n")?;
            paragraphs(page, &definition.docs)?;
            type_table(page, resolve, definition)?;
        }
    }
    Ok(())
}

/// Whether this is the type of another interface, by `use`.
fn is_used(resolve: &Resolve, definition: &TypeDef) -> bool {
    let TypeDefKind::Type(Type::Id(id)) = definition.kind else { return false };
    let owner = |definition: &TypeDef| match definition.owner {
        TypeOwner::Interface(id) => Some(id),
        _ => None,
    };
    resolve.types[id].name == definition.name && owner(&resolve.types[id]) != owner(definition)
}

fn type_table(page: &mut String, resolve: &Resolve, definition: &TypeDef) -> Result<()> {
    match &definition.kind {
        TypeDefKind::Record(record) => {
            page.push_str("\n| field | type | |\n|---|---|---|\n");
            for field in &record.fields {
                let (name, kind) = (&field.name, name_of(resolve, &field.ty));
                writeln!(page, "| `{name}` | {kind} | {} |", cell(&field.docs))?;
            }
        }
        TypeDefKind::Variant(variant) => {
            page.push_str("\n| one of | carries | |\n|---|---|---|\n");
            for case in &variant.cases {
                let kind = case.ty.as_ref().map_or_else(String::new, |ty| name_of(resolve, ty));
                writeln!(page, "| `{}` | {kind} | {} |", case.name, cell(&case.docs))?;
            }
        }
        TypeDefKind::Enum(cases) => {
            page.push_str("\n| one of | |\n|---|---|\n");
            for case in &cases.cases {
                writeln!(page, "| `{}` | {} |", case.name, cell(&case.docs))?;
            }
        }
        TypeDefKind::Type(ty) => writeln!(page, "\nIt is {}.", name_of(resolve, ty))?,
        other => writeln!(page, "\nIt is {}.", kind_of(resolve, other))?,
    }
    Ok(())
}

fn functions<'f>(
    page: &mut String,
    resolve: &Resolve,
    words: &str,
    functions: impl Iterator<Item = &'f Function>,
) -> Result<()> {
    write!(page, "\n{words}\n\n| function | given | answers | |\n|---|---|---|---|\n")?;
    for function in functions {
        let given: Vec<String> = function
            .params
            .iter()
            .map(|param| format!("`{}`: {}", param.name, name_of(resolve, &param.ty)))
            .collect();
        let result = function.result.as_ref().map_or_else(String::new, |ty| name_of(resolve, ty));
        let (name, given) = (&function.name, given.join("<br>"));
        writeln!(page, "| `{name}` | {given} | {result} | {} |", cell(&function.docs))?;
    }
    Ok(())
}

/// A type with a name is linked to where it is told.
fn name_of(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Id(id) => match &resolve.types[*id].name {
            Some(name) => format!("[{name}](#{name})"),
            None => kind_of(resolve, &resolve.types[*id].kind),
        },
        Type::Bool => "bool".to_owned(),
        Type::String => "string".to_owned(),
        Type::U8 => "u8".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::S64 => "s64".to_owned(),
        Type::F64 => "f64".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn kind_of(resolve: &Resolve, kind: &TypeDefKind) -> String {
    match kind {
        TypeDefKind::List(Type::U8) => "bytes".to_owned(),
        TypeDefKind::List(ty) => format!("list of {}", name_of(resolve, ty)),
        TypeDefKind::Option(ty) => format!("{}, or none", name_of(resolve, ty)),
        TypeDefKind::Tuple(tuple) => {
            let types: Vec<String> = tuple.types.iter().map(|ty| name_of(resolve, ty)).collect();
            format!("({})", types.join(", "))
        }
        TypeDefKind::Result(result) => {
            let side = |ty: &Option<Type>| {
                ty.as_ref().map_or_else(|| "nothing".to_owned(), |ty| name_of(resolve, ty))
            };
            format!("{}, or an error: {}", side(&result.ok), side(&result.err))
        }
        other => other.as_str().to_owned(),
    }
}

/// A comment as paragraphs.
fn paragraphs(page: &mut String, docs: &Docs) -> Result<()> {
    for paragraph in docs.contents.as_deref().unwrap_or_default().split("\n\n") {
        write!(page, "\n{}\n", paragraph.trim())?;
    }
    Ok(())
}

/// A comment as a cell of a table, which a line or a pipe would end.
fn cell(docs: &Docs) -> String {
    let text = docs.contents.as_deref().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
