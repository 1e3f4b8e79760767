//! The modules of a crate and the uses between them, parsed from its sources.
//!
//! Counted are `use` trees, paths in expressions, types, patterns and attributes, and paths inside of macro calls. A
//! name that a module re-exports counts as a use of the module that defines it. `#[cfg]` is ignored: code for tests,
//! fuzzing and features obeys the same rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A module as its path below the crate: `["backend", "azure"]`.
pub type ModulePath = Vec<String>;

/// All modules of a crate, and what they use.
pub struct Sources {
    /// All modules; the crate itself is the empty path.
    pub modules: BTreeSet<ModulePath>,
    /// What they use of each other.
    pub uses: Vec<Use>,
    /// Calls such as `Status::not_found(…)`, by module: the type and the function.
    pub associated_calls: Vec<(ModulePath, String, String)>,
}

/// One module uses another of the same crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The module that uses the other.
    pub from: ModulePath,
    /// The module that is used.
    pub to: ModulePath,
    /// The path as it is written there, completed to begin at the crate.
    pub path: String,
    /// Whether it is `pub use` of one of its own parts: a name for others, which its own code may not need.
    pub is_re_export_of_part: bool,
}

/// A path that was found, relative to the crate.
struct Found {
    from: ModulePath,
    segments: Vec<String>,
    is_re_export: bool,
}

impl Sources {
    /// Parses all files below `folder`, which holds the crate's `lib.rs`.
    pub fn parse(folder: &Path) -> Self {
        let files = rust_files(folder);
        let modules: BTreeSet<_> = files.iter().map(|file| module_path(folder, file)).collect();
        let mut found = Vec::new();
        let mut re_exports = BTreeMap::new();
        let mut associated_calls = Vec::new();
        for file in &files {
            let module = module_path(folder, file);
            let text = fs::read_to_string(file).unwrap();
            let syntax = syn::parse_file(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let mut visitor = Visitor {
                modules: &modules,
                file_module: module.clone(),
                current: module,
                found: Vec::new(),
                re_exports: Vec::new(),
                associated_calls: Vec::new(),
            };
            visitor.visit_file(&syntax);
            found.extend(visitor.found);
            re_exports.extend(visitor.re_exports);
            associated_calls.extend(visitor.associated_calls);
        }
        let uses: BTreeSet<_> = found
            .into_iter()
            .flat_map(|found| resolve(&modules, &re_exports, &found))
            .filter(|found| found.from != found.to)
            .collect();
        Self { modules, uses: uses.into_iter().collect(), associated_calls }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// `a/mod.rs` and `a.rs` are `a`; `a/b_tests.rs` holds the tests of `a/b.rs`.
fn module_path(folder: &Path, file: &Path) -> ModulePath {
    let relative = file.strip_prefix(folder).unwrap().with_extension("");
    let mut path: ModulePath =
        relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    let name = path.pop().unwrap();
    match name.as_str() {
        "mod" | "lib" => {}
        _ => match name.strip_suffix("_tests") {
            Some(tested) => path.extend([tested.to_owned(), "tests".to_owned()]),
            None => path.push(name),
        },
    }
    path
}

/// The module that a path leads to, and the one that defines the name if that is another.
fn resolve(
    modules: &BTreeSet<ModulePath>,
    re_exports: &BTreeMap<(ModulePath, String), Vec<String>>,
    found: &Found,
) -> Vec<Use> {
    let mut uses = Vec::new();
    let mut segments = found.segments.clone();
    for _ in 0..8 {
        let module = longest_module(modules, &segments);
        let name = segments.get(module.len()).cloned();
        let origin = name.and_then(|name| re_exports.get(&(module.clone(), name)));
        uses.push(Use {
            from: found.from.clone(),
            to: module.clone(),
            path: format!("crate::{}", found.segments.join("::")),
            is_re_export_of_part: found.is_re_export && module.starts_with(&found.from),
        });
        match origin {
            Some(origin) if *origin != segments => {
                let rest = segments.split_off(module.len() + 1);
                segments = [origin.clone(), rest].concat();
                // The module that re-exports a name of one of its own parts is transparent.
                if longest_module(modules, &segments).starts_with(&module) {
                    uses.pop();
                }
            }
            _ => break,
        }
    }
    uses
}

fn longest_module(modules: &BTreeSet<ModulePath>, segments: &[String]) -> ModulePath {
    let prefixes = (0..=segments.len()).rev().map(|length| &segments[..length]);
    prefixes.into_iter().find(|prefix| modules.contains(*prefix)).unwrap_or_default().to_vec()
}

struct Visitor<'a> {
    modules: &'a BTreeSet<ModulePath>,
    /// The module of the file: inline modules belong to it.
    file_module: ModulePath,
    /// The module that the path is written in, inline ones included.
    current: ModulePath,
    found: Vec<Found>,
    re_exports: Vec<((ModulePath, String), Vec<String>)>,
    associated_calls: Vec<(ModulePath, String, String)>,
}

impl Visitor<'_> {
    /// The path from the crate on; none if it leads out of the crate.
    fn complete(&self, segments: &[String]) -> Option<Vec<String>> {
        let (first, rest) = segments.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&self.current[..], rest].concat()),
            "super" => {
                let supers = segments.iter().take_while(|segment| *segment == "super").count();
                let parent = self.current.len().checked_sub(supers)?;
                Some([&self.current[..parent], &segments[supers..]].concat())
            }
            _ => {
                let child = [&self.current[..], &segments[..1]].concat();
                self.modules.contains(&child).then(|| [&self.current[..], segments].concat())
            }
        }
    }

    fn add(&mut self, segments: &[String]) {
        if let Some(segments) = self.complete(segments) {
            let from = self.file_module.clone();
            self.found.push(Found { from, segments, is_re_export: false });
        }
    }

    fn add_use(&mut self, item: &syn::ItemUse) {
        let is_re_export = !matches!(item.vis, syn::Visibility::Inherited);
        for (path, name) in use_paths(&item.tree) {
            let Some(segments) = self.complete(&path) else { continue };
            if is_re_export {
                assert_ne!(name, "*", "{:?}: a glob is re-exported: {path:?}", self.file_module);
                self.re_exports.push(((self.current.clone(), name), segments.clone()));
            }
            self.found.push(Found { from: self.file_module.clone(), segments, is_re_export });
        }
    }

    /// Paths in the tokens of a macro call, which are not parsed.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if path.is_empty() || colons == 2 => {
                    path.push(ident.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(punct)
                    if punct.as_char() == ':' && !path.is_empty() && colons < 2 =>
                {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) => {
                    self.end_token_path(&mut path);
                    path.push(ident.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            self.end_token_path(&mut path);
            colons = 0;
        }
        self.end_token_path(&mut path);
    }

    fn end_token_path(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.add(&path);
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_use(item);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.content.is_some() {
            self.current.push(module.ident.to_string());
            visit::visit_item_mod(self, module);
            self.current.pop();
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if path.leading_colon.is_none() && segments.len() > 1 {
            self.add(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func
            && let [.., owner, function] = &function.path.segments.iter().collect::<Vec<_>>()[..]
        {
            let (owner, function) = (owner.ident.to_string(), function.ident.to_string());
            self.associated_calls.push((self.file_module.clone(), owner, function));
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.add_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    fn visit_meta_list(&mut self, meta: &'ast syn::MetaList) {
        self.add_tokens(meta.tokens.clone());
        visit::visit_meta_list(self, meta);
    }
}

/// All paths of a `use`, and the name under which each is known.
fn use_paths(tree: &syn::UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        syn::UseTree::Path(path) => {
            let first = path.ident.to_string();
            let below = use_paths(&path.tree).into_iter();
            below
                .map(|(rest, name)| {
                    let name = if name == "self" { first.clone() } else { name };
                    ([vec![first.clone()], rest].concat(), name)
                })
                .collect()
        }
        syn::UseTree::Name(name) if name.ident == "self" => {
            vec![(Vec::new(), "self".to_owned())]
        }
        syn::UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        syn::UseTree::Rename(rename) => {
            vec![(vec![rename.ident.to_string()], rename.rename.to_string())]
        }
        syn::UseTree::Glob(_) => vec![(Vec::new(), "*".to_owned())],
        syn::UseTree::Group(group) => group.items.iter().flat_map(use_paths).collect(),
    }
}
