//! Small files that cost far more to load than they take: what a stranger may hand over as a rule. Written byte by byte, so that each has
//! exactly what its name says.

/// What a component and a module begin with.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// A file, by what it has too much of.
pub struct Bomb {
    pub name: &'static str,
    /// What a refusal has to say.
    pub refused: &'static str,
    pub bytes: Vec<u8>,
}

/// One of each kind, as large as they have been seen to hurt.
pub fn all() -> Vec<Bomb> {
    let bomb = |name, refused, bytes| Bomb { name, refused, bytes };
    vec![
        bomb("types-in-types", "levels of types in types", types_in_types(1_000)),
        bomb("types-in-types-deep", "levels of types in types", types_in_types(1_000_000)),
        bomb("idle-components", "components in it", idle_components(5_000)),
        bomb("idle-modules", "core modules in it", idle_modules(5_000)),
        bomb("components-in-components", "levels of components", components_in_components(60)),
        bomb("loops-in-loops", "levels of loops in loops", loops_in_loops(20_000)),
        bomb("blocks-in-blocks", "levels of blocks in blocks", blocks_in_blocks(20_000)),
        bomb("many-results", "results of one function", many_results(1_000, 200)),
        bomb("many-parameters", "parameters of one function", many_parameters(1_000)),
        bomb("many-locals", "local variables of one function", many_locals(50_000)),
        bomb("locals-and-loops", "times its loops", locals_and_loops(5_000, 1_000)),
        bomb("jump-tables", "targets of the jump tables", jump_tables(100_000)),
        bomb("passive-elements", "passive segments of elements", passive_elements(1)),
        bomb("many-functions", "functions", many_functions(200_000)),
        bomb("many-types", "types of components", many_types(50_000)),
        bomb("chained-types", "types that refer to types", chained_types(5_000)),
    ]
}

/// Types of components, each in the one before.
pub fn types_in_types(levels: usize) -> Vec<u8> {
    let types = [vec![1], [0x41, 1, 1].repeat(levels - 1), vec![0x42, 0]].concat();
    component(&[section(7, &types)])
}

/// Types of instances, each of which exports an instance of the one before, by its number.
pub fn chained_types(levels: usize) -> Vec<u8> {
    let mut types = number(levels);
    types.extend([0x42, 0]);
    for before in 0..levels - 1 {
        // Two declarations: the type before by an alias, and an export of an instance of it.
        types.extend([0x42, 2, 2, 3, 2, 1]);
        types.extend(number(before));
        types.extend([4, 0, 1, b'a', 5, 0]);
    }
    component(&[section(7, &types)])
}

/// Instances, each of which exports the one before.
pub fn chained_instances(levels: usize) -> Vec<u8> {
    let mut instances = number(levels);
    instances.extend([1, 0]);
    for before in 0..levels - 1 {
        instances.extend([1, 1, 0, 1, b'a', 5]);
        instances.extend(number(before));
    }
    let exported = [vec![1, 0, 1, b'a', 5], number(levels - 1), vec![0]].concat();
    component(&[section(5, &instances), section(11, &exported)])
}

/// Types in a row.
pub fn many_types(count: usize) -> Vec<u8> {
    // A tuple of three bytes.
    component(&[section(7, &[number(count), [0x6f, 3, 0x7d, 0x7d, 0x7d].repeat(count)].concat())])
}

/// Components that nobody makes an instance of, in groups, since a component may have a thousand.
pub fn idle_components(count: usize) -> Vec<u8> {
    let idle = section(4, COMPONENT);
    let group = component(&[idle.repeat(900)]);
    component(&[section(4, &group).repeat(count / 900), idle.repeat(count % 900)])
}

/// The same with modules.
pub fn idle_modules(count: usize) -> Vec<u8> {
    let idle = section(1, MODULE);
    let group = component(&[idle.repeat(900)]);
    component(&[section(4, &group).repeat(count / 900), idle.repeat(count % 900)])
}

/// Components, each in the one before.
pub fn components_in_components(levels: usize) -> Vec<u8> {
    (1..levels).fold(COMPONENT.to_vec(), |inner, _| component(&[section(4, &inner)]))
}

/// One function with loops, each in the one before.
pub fn loops_in_loops(levels: usize) -> Vec<u8> {
    function(&[], &[[3, 0x40].repeat(levels), vec![0x0b; levels]].concat())
}

/// One function with blocks, each in the one before.
pub fn blocks_in_blocks(levels: usize) -> Vec<u8> {
    function(&[], &[[2, 0x40].repeat(levels), vec![0x0b; levels]].concat())
}

/// One function with so many local variables.
pub fn many_locals(count: usize) -> Vec<u8> {
    function(&[&number(count)[..], &[0x7f]].concat(), &[])
}

/// One function that sets so many local variables in so many loops, one after the other.
pub fn locals_and_loops(locals: usize, loops: usize) -> Vec<u8> {
    let each = [vec![3, 0x40], vec![0x41, 0, 0x21, 0], vec![0x0b]].concat();
    function(&[&number(locals)[..], &[0x7f]].concat(), &each.repeat(loops))
}

/// One function with a jump table of so many targets.
pub fn jump_tables(targets: usize) -> Vec<u8> {
    let table = [vec![0x41, 0, 0x0e], number(targets), vec![0; targets + 1]].concat();
    function(&[], &[vec![2, 0x40], table, vec![0x0b]].concat())
}

/// Functions with so many results each, which call the first of them.
pub fn many_results(results: usize, functions: usize) -> Vec<u8> {
    let of = [vec![1, 0x60, 0], number(results), vec![0x7f; results]].concat();
    let declared = [number(functions), vec![0; functions]].concat();
    let body = sized(&[vec![0], vec![0x10, 0], vec![0x0b]].concat());
    let code = [number(functions), body.repeat(functions)].concat();
    with_module(&[section(1, &of), section(3, &declared), section(10, &code)])
}

/// A function that takes so many parameters.
pub fn many_parameters(count: usize) -> Vec<u8> {
    let of = [vec![1, 0x60], number(count), vec![0x7f; count], vec![0]].concat();
    with_module(&[section(1, &of), section(3, &[1, 0]), section(10, &[1, 2, 0, 0x0b])])
}

/// No bomb: so many functions of 256 KiB each, as a large rule may have them. Each takes part of a second to compile.
pub fn large(functions: usize) -> Vec<u8> {
    // local.get 0, i32.const 1, i32.add, local.set 0
    let code = [0x20, 0, 0x41, 1, 0x6a, 0x21, 0].repeat((256 << 10) / 7);
    let body = sized(&[&[1, 1, 0x7f], &code[..], &[0x0b]].concat());
    let declared = [number(functions), vec![0; functions]].concat();
    let code = [number(functions), body.repeat(functions)].concat();
    with_module(&[section(1, &[1, 0x60, 0, 0]), section(3, &declared), section(10, &code)])
}

/// Functions that do nothing.
pub fn many_functions(count: usize) -> Vec<u8> {
    let declared = [number(count), vec![0; count]].concat();
    let code = [number(count), [2, 0, 0x0b].repeat(count)].concat();
    with_module(&[section(1, &[1, 0x60, 0, 0]), section(3, &declared), section(10, &code)])
}

/// Segments of elements that only `table.init` and `elem.drop` use.
pub fn passive_elements(count: usize) -> Vec<u8> {
    let segments = [number(count), [1, 0, 1, 0].repeat(count)].concat();
    with_module(&[
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[1, 0]),
        section(4, &[1, 0x70, 0, 1]),
        section(9, &segments),
        section(10, &[1, 2, 0, 0x0b]),
    ])
}

/// A component with a module of one function: a group of local variables, if there is one, and instructions.
fn function(locals: &[u8], code: &[u8]) -> Vec<u8> {
    let groups = if locals.is_empty() { vec![0] } else { [&[1], locals].concat() };
    let body = sized(&[&groups[..], code, &[0x0b]].concat());
    with_module(&[
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[1, 0]),
        section(10, &[vec![1], body].concat()),
    ])
}

fn with_module(sections: &[Vec<u8>]) -> Vec<u8> {
    component(&[section(1, &[MODULE, &sections.concat()].concat())])
}

fn component(sections: &[Vec<u8>]) -> Vec<u8> {
    [COMPONENT, &sections.concat()].concat()
}

/// A section of a module or of a component.
pub fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [vec![id], sized(content)].concat()
}

fn sized(content: &[u8]) -> Vec<u8> {
    [number(content.len()), content.to_vec()].concat()
}

/// A number as WebAssembly writes it.
pub fn number(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
