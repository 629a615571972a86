//! Names of Python packages for nodes.

use herald_catalog::ident::{self, is_python_keyword};

/// Characters that a name may have; generated lines with longer ones break the line limit.
const MAX_LENGTH: usize = 60;

/// Names of folders beside the package, and of packages that it imports.
const RESERVED: [&str; 8] = [
    "build",
    "contracts",
    "dist",
    "herald",
    "pydantic",
    "pytest",
    "pytest_herald",
    "tests",
];

/// Checks whether a package may have this name.
///
/// # Errors
/// The problem, as the end of a sentence that begins with the name, with advice.
pub fn check(name: &str) -> Result<(), String> {
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && (name.bytes()).all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !is_name {
        let rule = "is not a valid package name: it has to begin with a lowercase letter and contain \
                    only lowercase letters, digits and `_`";
        let suggestion = from_node_name(name);
        return Err(
            if suggestion.is_empty() || !name.is_ascii() || name.contains(['/', '\\']) {
                format!("{rule}; to choose the directory, use --dir")
            } else {
                format!("{rule}; did you mean `{suggestion}`?")
            },
        );
    }
    if name.len() > MAX_LENGTH {
        return Err(format!(
            "is too long; a package name has at most {MAX_LENGTH} characters"
        ));
    }
    if is_python_keyword(name) {
        return Err("is a keyword of Python; choose another name".to_owned());
    }
    if is_reserved(name) {
        return Err(format!(
            "is the name of another Python module, which could no longer be imported; \
             use `{name}_node`"
        ));
    }
    Ok(())
}

/// Derives the name of a package from that of a node; empty if no character can be used.
pub fn from_node_name(name: &str) -> String {
    let mut package = ident::slug(name);
    package.truncate(MAX_LENGTH - "_node".len());
    let mut package = package.trim_end_matches('_').to_owned();
    if package.starts_with(|c: char| c.is_ascii_digit()) {
        package.insert_str(0, "node_");
    } else if is_python_keyword(&package) || is_reserved(&package) {
        package.push_str("_node");
    }
    package
}

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || STANDARD_LIBRARY.binary_search(&name).is_ok()
}

/// Modules of the standard library of Python 3.11 to 3.14, sorted: a package of that name hides them.
const STANDARD_LIBRARY: [&str; 218] = [
    "abc",
    "aifc",
    "annotationlib",
    "antigravity",
    "argparse",
    "array",
    "ast",
    "asynchat",
    "asyncio",
    "asyncore",
    "atexit",
    "audioop",
    "base64",
    "bdb",
    "binascii",
    "bisect",
    "builtins",
    "bz2",
    "calendar",
    "cgi",
    "cgitb",
    "chunk",
    "cmath",
    "cmd",
    "code",
    "codecs",
    "codeop",
    "collections",
    "colorsys",
    "compileall",
    "compression",
    "concurrent",
    "configparser",
    "contextlib",
    "contextvars",
    "copy",
    "copyreg",
    "crypt",
    "csv",
    "ctypes",
    "curses",
    "dataclasses",
    "datetime",
    "dbm",
    "decimal",
    "difflib",
    "dis",
    "distutils",
    "doctest",
    "email",
    "encodings",
    "ensurepip",
    "enum",
    "errno",
    "faulthandler",
    "fcntl",
    "filecmp",
    "fileinput",
    "fnmatch",
    "fractions",
    "ftplib",
    "functools",
    "gc",
    "genericpath",
    "getopt",
    "getpass",
    "gettext",
    "glob",
    "graphlib",
    "grp",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "idlelib",
    "imaplib",
    "imghdr",
    "imp",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "lib2to3",
    "linecache",
    "locale",
    "logging",
    "lzma",
    "mailbox",
    "mailcap",
    "marshal",
    "math",
    "mimetypes",
    "mmap",
    "modulefinder",
    "msilib",
    "msvcrt",
    "multiprocessing",
    "netrc",
    "nis",
    "nntplib",
    "nt",
    "ntpath",
    "nturl2path",
    "numbers",
    "opcode",
    "operator",
    "optparse",
    "os",
    "ossaudiodev",
    "pathlib",
    "pdb",
    "pickle",
    "pickletools",
    "pipes",
    "pkgutil",
    "platform",
    "plistlib",
    "poplib",
    "posix",
    "posixpath",
    "pprint",
    "profile",
    "pstats",
    "pty",
    "pwd",
    "py_compile",
    "pyclbr",
    "pydoc",
    "pydoc_data",
    "pyexpat",
    "queue",
    "quopri",
    "random",
    "re",
    "readline",
    "reprlib",
    "resource",
    "rlcompleter",
    "runpy",
    "sched",
    "secrets",
    "select",
    "selectors",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "site",
    "smtpd",
    "smtplib",
    "sndhdr",
    "socket",
    "socketserver",
    "spwd",
    "sqlite3",
    "sre_compile",
    "sre_constants",
    "sre_parse",
    "ssl",
    "stat",
    "statistics",
    "string",
    "stringprep",
    "struct",
    "subprocess",
    "sunau",
    "symtable",
    "sys",
    "sysconfig",
    "syslog",
    "tabnanny",
    "tarfile",
    "telnetlib",
    "tempfile",
    "termios",
    "textwrap",
    "this",
    "threading",
    "time",
    "timeit",
    "tkinter",
    "token",
    "tokenize",
    "tomllib",
    "trace",
    "traceback",
    "tracemalloc",
    "tty",
    "turtle",
    "turtledemo",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uu",
    "uuid",
    "venv",
    "warnings",
    "wave",
    "weakref",
    "webbrowser",
    "winreg",
    "winsound",
    "wsgiref",
    "xdrlib",
    "xml",
    "xmlrpc",
    "zipapp",
    "zipfile",
    "zipimport",
    "zlib",
    "zoneinfo",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_package_names() {
        assert_eq!(from_node_name("Order Intake"), "order_intake");
        assert_eq!(from_node_name("3d-print"), "node_3d_print");
        assert_eq!(from_node_name("calendar"), "calendar_node");
        assert_eq!(from_node_name("class"), "class_node");
        assert_eq!(from_node_name("日本"), "");
        for name in [
            "Order Intake",
            "3d-print",
            "calendar",
            "class",
            &"x".repeat(99),
        ] {
            assert_eq!(check(&from_node_name(name)), Ok(()), "{name}");
        }
    }

    #[test]
    fn standard_library_is_sorted() {
        assert!(STANDARD_LIBRARY.is_sorted());
    }
}
