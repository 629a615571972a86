//! Secrets in URLs.

use super::{Before, Rule, Secret};

/// Characters of a path or a query, but no separators of it.
const PART: &str = "[A-Za-z0-9%+/=_.~-]";

const fn url(id: &'static str, title: &'static str, pattern: &'static str) -> Rule {
    Rule {
        id,
        title,
        keywords: &[],
        before: Before::Any,
        pattern,
        ignore_case: true,
        secret: Secret::Following(PART, 16),
        examples: &[],
        near_misses: &[],
    }
}

pub(super) static RULES: &[Rule] = &[
    Rule {
        keywords: &["://"],
        secret: Secret::UserInfo,
        examples: &[
            "postgres://«bob:hunter2»@db:5432/x",
            "amqp://«bob:p@ss/hunter2»@mq/x",
            "redis://«:hunter2»@cache",
            "kafka://«a:b»@h1,kafka://«c:d»@h2",
            "https://«{alnum*24}»@github.com/x",
        ],
        near_misses: &[
            "connection refused: http://localhost:9092/topics",
            "{\"url\":\"https://api/x\",\"mail\":\"bob@example.org\"}",
            "GET https://registry.npmjs.org/@scope/name failed",
            "http://localhost:4873/@scope/name",
            "https://example.org/users/bob@example.org",
        ],
        ..url(
            "url-user",
            "User and password in a URL, up to the last `@`",
            "://",
        )
    },
    Rule {
        keywords: &["%3a%2f%2f"],
        secret: Secret::EncodedUserInfo,
        examples: &["dsn=postgres%3A%2F%2F«bob%3Ahunter2»%40db%2Fx"],
        near_misses: &["next=https%3A%2F%2Fexample.org%2F%40bob"],
        ..url(
            "url-user-encoded",
            "User and password in an encoded URL",
            "%3a%2f%2f",
        )
    },
    Rule {
        keywords: &["oracle:"],
        secret: Secret::Following(r#"[^@ \t\r\n"']"#, 1),
        examples: &["jdbc:oracle:thin:scott/«tiger»@db:1521:x"],
        near_misses: &["jdbc:oracle:thin:@//db:1521/x"],
        ..url(
            "oracle",
            "Passwords in URLs of Oracle's JDBC driver",
            "oracle:(?:thin|oci):[^/@ ]{1,64}/",
        )
    },
    Rule {
        keywords: &["sig=", "signature="],
        before: Before::Alphanumeric,
        examples: &[
            "https://x.blob.core.windows.net/y?sv=2023-11-03&se=2027&sr=b&sig=«{base64*40}%3D»&n=1",
            "https://b.s3.amazonaws.com/k?X-Amz-Date=x&X-Amz-Signature=«{hex*64}»",
            "SharedAccessSignature sr=x&sig=«{base64*43}»&se=1&skn=y",
        ],
        near_misses: &["sig=short", "design={alnum*20}"],
        ..url(
            "signed-url",
            "Signatures in URLs: Azure SAS, AWS, Google Cloud",
            "(?:sig|signature|x-amz-signature|x-goog-signature)=",
        )
    },
    Rule {
        keywords: &["code=", "verifier=", "assertion="],
        examples: &["GET /callback?code=«4/0{alnum*40}»&state=x"],
        near_misses: &["GET /errors?code=404", "error?code=leader_lost"],
        ..url(
            "oauth-code",
            "Codes and assertions of OAuth in URLs",
            "[?&](?:code|code_verifier|assertion|client_assertion)=",
        )
    },
    Rule {
        keywords: &["/bot"],
        secret: Secret::Following("[A-Za-z0-9_-]", 30),
        examples: &["POST https://api.telegram.org/bot123456789:«{alnum*35}»/sendMessage"],
        near_misses: &["GET https://example.org/bot12345678:x"],
        ..url(
            "telegram-url",
            "Tokens in URLs of Telegram",
            "/bot[0-9]{6,12}:",
        )
    },
    Rule {
        keywords: &["hooks.slack"],
        secret: Secret::Following("[A-Za-z0-9+/_-]", 16),
        examples: &["POST https://hooks.slack.com/services/«T{upper*8}/B{upper*8}/{alnum*24}»"],
        near_misses: &["GET https://hooks.slack.com/services/ failed"],
        ..url(
            "slack-webhook",
            "Webhooks of Slack",
            r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/",
        )
    },
    Rule {
        keywords: &["/api/webhooks/"],
        secret: Secret::Following("[A-Za-z0-9_-]", 20),
        examples: &["POST https://discord.com/api/webhooks/{digits*18}/«{alnum*68}»"],
        near_misses: &["GET https://example.org/api/webhooks/7"],
        ..url(
            "discord-webhook",
            "Webhooks of Discord",
            "/api/webhooks/[0-9]{10,20}/",
        )
    },
    Rule {
        keywords: &["webhook.office.com"],
        examples: &["POST https://x.webhook.office.com/webhookb2/«{hex*32}@{hex*8}/z/{hex*32}»"],
        near_misses: &["GET https://x.webhook.office.com/ failed"],
        secret: Secret::Following("[A-Za-z0-9@/_-]", 16),
        ..url(
            "teams-webhook",
            "Webhooks of Microsoft Teams",
            r"webhook\.office\.com/webhookb2/",
        )
    },
];
