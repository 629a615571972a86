mod commands { pub mod inspect; }
fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let l = herald_catalog::load::load(&paths, &Default::default(), &|| ());
    println!("{}", serde_json::to_string_pretty(&commands::inspect::document(&l)).unwrap());
    let mut out = std::io::stderr();
    herald_diagnostics::render::write(herald_diagnostics::render::Format::Human, &l.findings, &l.catalog.sources, &herald_diagnostics::render::Options{color:false,tool_version:"0",width:None}, &mut out).unwrap();
    eprintln!("skipped {:?}", l.skipped);
}
