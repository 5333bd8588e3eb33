//! What the files of a crate import of one another, read from their text: rows of layers, circles, and names that mean two things.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// A module of a crate, as its path: `engine::swap::flip`. The root is empty.
type Module = String;

/// The files of one crate, without their tests and comments.
pub(crate) struct Crate {
    files: BTreeMap<Module, (PathBuf, String)>,
}

impl Crate {
    /// Reads the sources below this folder, which holds `lib.rs` or `main.rs`.
    pub(crate) fn read(sources: &[(PathBuf, String)], root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for (path, text) in sources {
            let inside = path.strip_prefix(root)?.with_extension("");
            let mut names: Vec<&str> =
                inside.iter().map(|name| name.to_str().context("a name")).collect::<Result<_>>()?;
            if names == ["lib"] || names == ["main"] {
                names.clear();
            }
            files.insert(names.join("::"), (path.clone(), code(text)));
        }
        ensure!(files.len() > 5, "{} has no crate", root.display());
        Ok(Self { files })
    }

    /// For each module the modules that it names.
    fn imports(&self) -> BTreeMap<&Module, BTreeSet<&Module>> {
        let of = |module, text| {
            let paths = paths(text).into_iter();
            let absolute = paths.filter_map(|path| self.absolute(module, &path));
            let mut found: BTreeSet<&Module> =
                absolute.filter_map(|path| self.file_of(&path)).collect();
            found.remove(module);
            found
        };
        self.files.iter().map(|(module, (_, text))| (module, of(module, text))).collect()
    }

    /// A path as it is from the root of the crate; none where it leads elsewhere.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Vec<String>> {
        let here = || module.split("::").filter(|it| !it.is_empty()).map(str::to_owned);
        let mut from: Vec<String> = here().collect();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => {
                from.clear();
                rest = &rest[1..];
            }
            "super" => {
                while rest.first().is_some_and(|it| it == "super") {
                    from.pop();
                    rest = &rest[1..];
                }
            }
            // A child of this module.
            first => {
                let child: Vec<String> = here().chain([first.to_owned()]).collect();
                self.files.get(&child.join("::"))?;
            }
        }
        from.extend(rest.iter().cloned());
        Some(from)
    }

    /// The file in which a path ends: that of the longest part of it that is a module.
    fn file_of(&self, path: &[String]) -> Option<&Module> {
        let parts = (0..=path.len()).rev().map(|length| path[..length].join("::"));
        parts.filter_map(|part| self.files.get_key_value(&part)).map(|(module, _)| module).next()
    }

    /// Imports that go up or sideways, by a table with the lowest row first. What is not in the table must be in `beside`, of which nothing
    /// is asked.
    pub(crate) fn upward(&self, table: &[&[&str]], beside: &[&str]) -> Vec<String> {
        let folder = |module: &Module| module.split("::").next().unwrap_or_default().to_owned();
        let row = |name: &str| table.iter().position(|row| row.contains(&name));
        let mut wrong = Vec::new();
        for (module, imports) in self.imports() {
            let here = folder(module);
            if here.is_empty() || beside.contains(&here.as_str()) {
                continue;
            }
            let Some(own) = row(&here) else {
                wrong.push(format!("{module} is in no row of the table"));
                continue;
            };
            for import in imports {
                let there = folder(import);
                if there != here && row(&there).is_none_or(|row| row >= own) {
                    wrong.push(format!("{module} imports {import}"));
                }
            }
        }
        for name in table.iter().copied().flatten() {
            if !self.files.keys().any(|module| folder(module) == *name) {
                wrong.push(format!("there is no {name}"));
            }
        }
        wrong
    }

    /// Files that import one another in a circle (Tarjan's algorithm). The root and `beside` are left out.
    pub(crate) fn circles(&self, beside: &[&str]) -> Vec<Vec<Module>> {
        let is_in = |module: &Module| {
            let first = module.split("::").next().unwrap_or_default();
            !first.is_empty() && !beside.contains(&first)
        };
        let mut search = Search { graph: self.imports(), ..Search::default() };
        search.graph.retain(|module, _| is_in(module));
        let modules: Vec<&Module> = search.graph.keys().copied().collect();
        for module in modules {
            if !search.numbers.contains_key(module) {
                search.visit(module);
            }
        }
        search.circles
    }

    /// The files in which a word stands, of those that are not in these folders.
    pub(crate) fn outside(&self, word: &str, folders: &[&str]) -> Vec<String> {
        let has = self.files.iter().filter(|(_, (_, text))| text.contains(word));
        has.map(|(module, _)| module)
            .filter(|module| !folders.contains(&module.split("::").next().unwrap_or_default()))
            .cloned()
            .collect()
    }

    /// Names that stand for several types, each with the files that declare it.
    pub(crate) fn names_twice(&self) -> Vec<String> {
        let mut declared: BTreeMap<String, Vec<&Module>> = BTreeMap::new();
        for (module, (_, text)) in &self.files {
            for line in text.lines() {
                let mut words = line
                    .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .filter(|word| !matches!(*word, "" | "pub" | "crate" | "super" | "in"));
                if let Some("struct" | "enum" | "union" | "type" | "trait") = words.next()
                    && let Some(name) = words.next().filter(|_| !line.contains("impl "))
                    && !line.starts_with("    type")
                {
                    declared.entry(name.to_owned()).or_default().push(module);
                }
            }
        }
        declared.retain(|_, modules| modules.len() > 1);
        declared.iter().map(|(name, modules)| format!("{name}: {modules:?}")).collect()
    }
}

/// One walk through the graph. A circle is complete when the walk is back where it came in.
#[derive(Default)]
struct Search<'a> {
    graph: BTreeMap<&'a Module, BTreeSet<&'a Module>>,
    numbers: BTreeMap<&'a Module, usize>,
    /// The lowest number that can be reached.
    low: BTreeMap<&'a Module, usize>,
    stack: Vec<&'a Module>,
    circles: Vec<Vec<Module>>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, module: &'a Module) {
        let number = self.numbers.len();
        self.numbers.insert(module, number);
        self.low.insert(module, number);
        self.stack.push(module);
        for next in self.graph.get(module).cloned().unwrap_or_default() {
            let reached = if !self.numbers.contains_key(next) {
                self.visit(next);
                self.low[next]
            } else if self.stack.contains(&next) {
                self.numbers[next]
            } else {
                continue;
            };
            let low = self.low[module].min(reached);
            self.low.insert(module, low);
        }
        if self.low[module] == number {
            let place = self.stack.iter().position(|it| *it == module).unwrap_or_default();
            let circle = self.stack.split_off(place);
            if circle.len() > 1 {
                self.circles.push(circle.into_iter().cloned().collect());
            }
        }
    }
}

/// The code of a file: without comments, and without the module of its tests at the end.
fn code(text: &str) -> String {
    // Tests may be named by those of a sibling.
    let tests = ["#[cfg(test)]\nmod tests", "#[cfg(test)]\npub(super) mod tests"];
    let end = tests.iter().filter_map(|start| text.find(start)).min().unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Every path of the crate that a file names, and what its `use` lines say of children.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (place, _) in text.match_indices(start) {
            let before = text[..place].chars().next_back();
            // `super::super::` and `pub(crate)` are no beginnings.
            if before.is_none_or(|it| !it.is_alphanumeric() && it != '_' && it != ':') {
                tree(&text[place..], &[], &mut found);
            }
        }
    }
    for (place, _) in text.match_indices("use ") {
        let rest = &text[place + 4..];
        let is_line = text[..place].ends_with('\n') || text[..place].ends_with("pub ");
        let is_crate = text[..place].ends_with("pub(crate) ");
        if (is_line || is_crate) && !rest.starts_with("crate::") && !rest.starts_with("super::") {
            tree(rest, &[], &mut found);
        }
    }
    found
}

/// Reads one path with all its branches, and returns what comes after it.
fn tree<'a>(text: &'a str, before: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let mut path = before.to_vec();
    let mut rest = text;
    loop {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if end > 0 && &rest[..end] != "self" {
            path.push(rest[..end].to_owned());
        }
        rest = &rest[end..];
        let Some(more) = rest.strip_prefix("::") else { break };
        rest = more;
        if let Some(branches) = rest.strip_prefix('{') {
            rest = branches;
            loop {
                rest = tree(rest.trim_start(), &path, found).trim_start();
                match rest.strip_prefix(',') {
                    Some(more) if !more.trim_start().starts_with('}') => rest = more,
                    _ => break,
                }
            }
            return rest.trim_start_matches(',').trim_start().trim_start_matches('}');
        }
        if !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            break;
        }
    }
    found.push(path);
    rest
}

#[test]
fn paths_are_read_with_all_their_branches() {
    let text =
        "use crate::a::{self, b::{C, D}, e};\nlet x = super::super::f::g(1);\npub use h::I;\n";
    let mut found: Vec<String> = paths(text).into_iter().map(|path| path.join("::")).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "crate::a",
            "crate::a::b::C",
            "crate::a::b::D",
            "crate::a::e",
            "h::I",
            "super::super::f::g"
        ]
    );
}

#[test]
fn a_circle_is_found_and_a_way_down_is_none() -> Result<()> {
    let file = |name: &str, text: &str| (PathBuf::from(format!("src/{name}.rs")), text.to_owned());
    let sources = [
        file("lib", "mod a; mod b; mod c;"),
        file("a", "use crate::b::B;\n"),
        file("b", "use crate::c::C;\n"),
        file("c", "fn back() { crate::a::a(); }\n"),
        file("d", "use crate::a::A;\n#[cfg(test)]\nmod tests { use crate::e; }"),
        file("e", "use crate::d::D;\n"),
    ];
    let tree = Crate::read(&sources, Path::new("src"))?;
    assert_eq!(tree.circles(&[]), [["a", "b", "c"]]);
    assert!(tree.circles(&["c"]).is_empty());
    let table: &[&[&str]] = &[&["c"], &["b"], &["a"], &["d"], &["e"]];
    assert_eq!(tree.upward(table, &[]), ["c imports a"]);
    let sideways: &[&[&str]] = &[&["c"], &["b"], &["a"], &["d", "e"]];
    assert_eq!(tree.upward(sideways, &["c"]), ["e imports d"]);
    Ok(())
}
