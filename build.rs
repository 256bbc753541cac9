//! The queries and templates are built into the binary: a change in them is a change of it.

fn main() {
    println!("cargo::rerun-if-changed=queries");
    println!("cargo::rerun-if-changed=reports/template");
}
