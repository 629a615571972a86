//! Values behind the name of a secret.

use super::{Before, Rule, Secret};

/// The name of a secret: its core, and what follows (`secret_access_key`, `password2`).
macro_rules! name {
    ($rest:literal) => {
        concat!(
            "(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd|secrets?|credentials?|creds|token",
            "|(?:api|access|account|private|secret|signing|encryption|master|auth|shared|storage",
            "|license)[_.-]?key|session[_.-]?id|phpsessid|user[_.]info)",
            $rest
        )
    };
}

const KEYWORDS: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "credential",
    "creds",
    "token",
    "key",
    "session",
    "sessid",
    "user_info",
    "user.info",
];

const fn named(id: &'static str, title: &'static str, pattern: &'static str) -> Rule {
    Rule {
        id,
        title,
        keywords: KEYWORDS,
        before: Before::Any,
        pattern,
        ignore_case: true,
        secret: Secret::Assigned,
        examples: &[],
        near_misses: &[],
    }
}

pub(super) static RULES: &[Rule] = &[
    Rule {
        secret: Secret::Assigned,
        examples: &[
            "password=«hunter2»",
            "PASSWORD = «hunter2» user=bob",
            "Server=db;Password=«hunter2»;Database=x",
            "passwd=«'hunter2 with spaces'» rest",
            "AWS_SECRET_ACCESS_KEY=«{base64*40}»",
            "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=«{base64*64}==»;Suffix=y",
            "//registry.npmjs.org/:_authToken=«{alnum*20}»",
            "User(name='bob', api_key=«'abc'», n=1)",
            "passwords=«['a b', 'c']», n=1",
            "PHPSESSID=«{alnum*26}»; path=/",
            "basic.auth.user.info=«bob:hunter2»",
        ],
        near_misses: &[
            "max_tokens=4096",
            "bypass=true",
            "PWD=/home/app OLDPWD=/tmp",
            "token_type=bearer",
            "password_min_length=8",
            "passwordless=true",
            "partition_key=customer-7",
            "idempotency_key=4711",
            "token bucket=full",
        ],
        ..named(
            "name-equals",
            "Values after the name of a secret and `=`",
            name!(r#"([a-z0-9_.-]{0,32})[\\"'\])]{0,4}[ \t]{0,16}[=:]?=>?"#),
        )
    },
    Rule {
        secret: Secret::Line,
        examples: &[
            "password: «hunter2»",
            "secret: «two words», retry: 3",
            "x-api-key: «{alnum*24}»",
            "invalid token: «abc»",
            "{\"password\": «\"hunter2\"», \"user\": \"bob\"}",
            "password: |\n  «hunter2\n  second»\nnext: x",
            "password: >-\r\n    «hunter2»\r\nnext: x",
            "\"secrets\": «[\"a\", \"b\"]», \"n\": 1",
        ],
        near_misses: &[
            "unexpected token: 'foo' at line 3",
            "secretary: Bob",
            "tokenizer: bpe",
            "pwd: /home/app",
            "compass: north",
            "auth::Credentials::load failed: no such file",
            "{\"token_type\": \"bearer\"}",
            "password: |\nnext: x",
            "primary key: order_id",
        ],
        ..named(
            "name-colon",
            "Values after the name of a secret and `:`, to the end of the line; block scalars of YAML",
            name!(r#"([a-z0-9_.-]{0,32})[\\"'\])]{0,4}[ \t]{0,16}:"#),
        )
    },
    Rule {
        secret: Secret::Paired,
        examples: &["('password', «'hunter2'»)", "[\"api_key\", «\"abc\"»]"],
        near_misses: &["('password', 7)", "the fields 'password' and 'user'"],
        ..named(
            "name-pair",
            "Pairs of the name of a secret and its value",
            name!(r#"([a-z0-9_.-]{0,32})["'][ \t]{0,16},"#),
        )
    },
    Rule {
        keywords: &["--"],
        secret: Secret::Option,
        examples: &[
            "mysql --password «hunter2» -u bob",
            "x --kafka-sasl-client-password «'hunter2 y'» z",
        ],
        near_misses: &[
            "missing option --password",
            "x --password --verbose",
            "x --tokenizer bpe",
        ],
        ..named(
            "name-option",
            "Options of programs with the name of a secret",
            concat!("--[a-z0-9_.-]{0,40}", name!("([a-z0-9_.-]{0,16})[ ]{1,8}")),
        )
    },
    Rule {
        keywords: &["<"],
        secret: Secret::Element,
        examples: &[
            "<password>«hunter2»</password>",
            "<wsse:Password Type=\"http://x/y#PasswordText\">«hunter2»</wsse:Password>",
            "<db><dbPassword>«hunter2»",
        ],
        near_misses: &[
            "<secretary>Bob</secretary>",
            "<password/>",
            "<password></password>",
            "expected <password> and user",
        ],
        ..named(
            "name-element",
            "Text of XML elements with the name of a secret",
            concat!("<[a-z0-9_:.-]{0,16}", name!("([^<>]{0,160})>")),
        )
    },
    Rule {
        secret: Secret::Quoted,
        examples: &["<add key=\"DbPassword\" value=«\"hunter2\"» />"],
        near_misses: &["<add key=\"DbName\" value=\"orders\" />"],
        ..named(
            "name-attribute",
            "XML attribute `value` after the name of a secret",
            name!(r#"([a-z0-9_.-]{0,32})["'][ ]{1,4}value[ ]{0,4}=[ ]{0,4}"#),
        )
    },
    Rule {
        keywords: &["%3a", "%3d", "%253a", "%253d"],
        secret: Secret::Encoded,
        examples: &[
            "body=user%3Dbob%26password%3D«hunter2»%26x%3Dy",
            "%7B%22password%22%3A%22«hunter%402»%22%2C%22n%22%3A1%7D",
            "next=%252Flogin%253Fapi_key%253D«abc»%2526n%253D1",
        ],
        near_misses: &["q=token_type%3Dbearer", "q=tokens%3D3"],
        ..named(
            "name-encoded",
            "URL-encoded name of a secret and its value",
            name!("([a-z0-9_.-]{0,32})(?:%(?:25)?2[27]|%(?:25)?5d)?(?:%20|[+])?%(?:25)?3[ad]"),
        )
    },
    Rule {
        keywords: &["authorization", "cookie", "passphrase"],
        secret: Secret::Header,
        examples: &[
            "Authorization: «Bearer abc»",
            "Authorization: «AWS4 Credential=x, Signature=abc»",
            "Set-Cookie: «a=b; Path=/; Secure»\nHost: x",
            "passphrase: «correct horse battery»",
            "{'Authorization': «'Bearer abc'», 'n': 1}",
        ],
        near_misses: &[
            "Authorization failed for user bob",
            "authorization::check failed",
            "a cookie is missing",
        ],
        ..named(
            "header",
            "Headers `Authorization` and `Cookie`, and passphrases, to the end of the line",
            r#"(?:authorization|cookie|passphrase)[\\"'\])]{0,4}[ \t]{0,16}(?:[=:]?=>?|:)"#,
        )
    },
    Rule {
        keywords: &["authorization", "cookie", "passphrase"],
        secret: Secret::Quoted,
        examples: &["[('Authorization', «'Token abc'»)]"],
        near_misses: &["'cookie', 'header' or 'query'"],
        ..named(
            "header-pair",
            "Pairs of such a header and its value",
            r#"[(\[]b?["'](?:authorization|(?:set-)?cookie|passphrase)["'][ \t]{0,16},"#,
        )
    },
    Rule {
        keywords: &["bearer", "basic"],
        before: Before::Part,
        secret: Secret::Credentials,
        examples: &[
            "rejected bearer «abc.x_y-z/+=» twice",
            "sent Basic «Ym9iOmh1bnRlcjI=» twice",
            "header=Bearer%20«{alnum*24}»&n=1",
        ],
        near_misses: &[
            "Basic authentication failed",
            "Basic Authentication failed",
            "Bearer token is missing",
            "a basic example",
        ],
        ..named(
            "credentials",
            "Credentials after `Bearer` or `Basic`, but not prose",
            r"(?:bearer|basic)(?:[ \t\r\n]{1,8}|%20|[+])",
        )
    },
    Rule {
        keywords: &["input_value="],
        secret: Secret::InputValue,
        examples: &[
            "too short [type=string_too_short, input_value=«'hunter2'», input_type=str]",
            "[type=x, input_value=«{'pin': 1, 'a': 'b, c'}», input_type=dict]",
        ],
        near_misses: &["[type=missing, input_type=dict]"],
        ..named(
            "pydantic-input",
            "`input_value` in errors of pydantic",
            "input_value=",
        )
    },
    Rule {
        keywords: &["\"auth\""],
        secret: Secret::Following("[A-Za-z0-9+/=]", 8),
        examples: &["{\"auths\": {\"https://x\": {\"auth\": \"«Ym9iOmh1bnRlcjI=»\"}}}"],
        near_misses: &["{\"auth\": \"basic\"}"],
        ..named(
            "docker-auth",
            "Credentials in the configuration of Docker",
            r#""auth"[ ]{0,4}:[ ]{0,4}""#,
        )
    },
    Rule {
        keywords: &["login", "identified", "password"],
        secret: Secret::Quoted,
        examples: &[
            "CREATE USER bob WITH PASSWORD «'hunter2'»",
            "ALTER USER bob IDENTIFIED BY «'hunter2'»",
        ],
        near_misses: &["wrong password 'for' user bob", "identified by name"],
        ..named(
            "sql",
            "Passwords in SQL statements",
            r"(?:(?:with|encrypted) password|identified by)[ \t]{1,8}",
        )
    },
    Rule {
        keywords: &["login"],
        secret: Secret::Following(r"[^ \t\r\n]", 1),
        examples: &["machine x login bob password «hunter2»"],
        near_misses: &["at login password is asked for"],
        ..named(
            "netrc",
            "Passwords in `.netrc`",
            r"login[ \t]{1,8}[^ \t\r\n]{1,64}[ \t\r\n]{1,8}password[ \t]{1,8}",
        )
    },
];
