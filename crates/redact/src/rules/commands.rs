//! Passwords in command lines, also as Python prints the list of arguments.

use super::{Before, Rule, Secret};

/// Characters of an argument.
const ARGUMENT: &str = r#"[^ \t\r\n"',]"#;

const fn command(id: &'static str, title: &'static str, pattern: &'static str) -> Rule {
    Rule {
        id,
        title,
        keywords: &[],
        before: Before::Alphanumeric,
        pattern,
        ignore_case: false,
        secret: Secret::Following(ARGUMENT, 1),
        examples: &[],
        near_misses: &[],
    }
}

pub(super) static RULES: &[Rule] = &[
    Rule {
        keywords: &["curl"],
        secret: Secret::UserPassword,
        examples: &[
            "curl -s -u «bob:hunter2» https://x",
            "curl --user «\"bob:hunter 2\"» https://x",
            "Command '['curl', '-u', «'bob:hunter2'», 'https://x']' failed",
        ],
        near_misses: &["curl -u bob https://x", "curl --user-agent x:y https://x"],
        ..command(
            "curl",
            "`curl -u user:password`",
            r#"curl[^\r\n]{0,200}[ "'](?:-u|-U|--user|--proxy-user)[ =,"']{0,3}"#,
        )
    },
    Rule {
        keywords: &["mysql", "mariadb"],
        examples: &[
            "mysql -u root -p«hunter2» orders",
            "Command '['mysqldump', '-uroot', '-p«hunter2»']' failed",
        ],
        near_misses: &["mysql -u root -p orders", "mkdir -p/x"],
        ..command(
            "mysql",
            "`mysql -pPASSWORD`, and programs beside it",
            r#"(?:mysql|mariadb)[^\r\n]{0,200}[ "']-p"#,
        )
    },
    Rule {
        keywords: &["sshpass"],
        examples: &[
            "sshpass -p «hunter2» ssh x",
            "['sshpass', '-p', '«hunter2»', 'ssh']",
        ],
        near_misses: &["sshpass -f file ssh x"],
        ..command(
            "sshpass",
            "`sshpass -p`",
            r#"sshpass[ "',]{1,4}-p[ "',]{0,4}"#,
        )
    },
    Rule {
        keywords: &["redis-cli"],
        examples: &["redis-cli -h x -a «hunter2» ping"],
        near_misses: &["redis-cli -h x --all ping"],
        ..command(
            "redis-cli",
            "`redis-cli -a`",
            r#"redis-cli[^\r\n]{0,200}[ "']-a[ "',]{1,4}"#,
        )
    },
    Rule {
        keywords: &["ldap"],
        examples: &["ldapsearch -D cn=x -w «hunter2» -b y"],
        near_misses: &["ldapsearch -x -W -b y"],
        ..command(
            "ldap",
            "`ldapsearch -w`, and programs beside it",
            r#"ldap[a-z]{1,16}[^\r\n]{0,200}[ "']-w[ "',]{0,4}"#,
        )
    },
    Rule {
        keywords: &["mongo"],
        examples: &["mongodump -u bob -p «hunter2» --db x"],
        near_misses: &["mongodump --port 27017"],
        ..command(
            "mongo",
            "`mongosh -p`, and programs beside it",
            r#"mongo[^\r\n]{0,200}[ "']-p[ "',]{1,4}"#,
        )
    },
];
