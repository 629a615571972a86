//! Tokens that are known by their own shape. The shapes are facts that issuers document, and that
//! the rules of gitleaks collect.

use super::{Before, Rule, Secret};

const WORD: &str = "[A-Za-z0-9_-]";
const ALNUM: &str = "[A-Za-z0-9]";
const BASE64: &str = "[A-Za-z0-9+/=]";
const DOTTED: &str = "[A-Za-z0-9_=.-]";
const UNDERSCORE: &str = "[A-Za-z0-9_]";
const NOTHING: &str = "";

const fn token(
    id: &'static str,
    title: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
    more: &'static str,
) -> Rule {
    Rule {
        id,
        title,
        keywords,
        before: Before::Alphanumeric,
        pattern,
        ignore_case: false,
        secret: Secret::Match(more),
        examples: &[],
        near_misses: &[],
    }
}

pub(super) static RULES: &[Rule] = &[
    Rule {
        examples: &["signature of «eyJ{alnum*20}.eyJ{alnum*40}.{alnum*43}» is wrong"],
        near_misses: &["the key eyJ0"],
        ..token(
            "jwt",
            "JSON Web Tokens",
            &["eyJ"],
            "eyJ[A-Za-z0-9_-]{8}",
            DOTTED,
        )
    },
    Rule {
        examples: &[
            "no access with «ghp_{alnum*36}»",
            "«github_pat_{alnum*22}_{alnum*59}»",
        ],
        near_misses: &["ghp_short", "the option github_pat_file"],
        ..token(
            "github",
            "GitHub",
            &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
            "(?:gh[opsur]|github_pat)_[A-Za-z0-9_]{16}",
            UNDERSCORE,
        )
    },
    Rule {
        examples: &["InvalidAccessKeyId «AKIA{upper*16}»"],
        near_misses: &["ASIA-PACIFIC", "AKIA"],
        ..token(
            "aws-key-id",
            "AWS access keys",
            &["A3T", "AKIA", "ASIA", "ABIA", "ACCA"],
            "(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
            NOTHING,
        )
    },
    Rule {
        examples: &["«ABSK{base64*120}»"],
        near_misses: &["ABSK"],
        ..token(
            "aws-bedrock",
            "AWS Bedrock",
            &["ABSK", "bedrock-api-key-"],
            "(?:ABSK|bedrock-api-key-)[A-Za-z0-9+/=]{40}",
            BASE64,
        )
    },
    Rule {
        examples: &[
            "slack: «xoxb-{digits*12}-{digits*12}-{alnum*24}»",
            "slack: «xapp-1-A{upper*10}-{digits*12}-{hex*64}»",
        ],
        near_misses: &["xoxo", "xapp-1"],
        ..token(
            "slack",
            "Slack",
            &["xox", "xapp-"],
            "(?:xox[a-z][.-]|xapp-[0-9]-)[A-Za-z0-9-]{8}",
            "[A-Za-z0-9.-]",
        )
    },
    Rule {
        examples: &[
            "Invalid API Key provided: «sk_live_{alnum*24}»",
            "«rk_test_{alnum*30}»",
            "«whsec_{alnum*32}»",
        ],
        near_misses: &[
            "sk_live_",
            "task_live_orders_of_today",
            "pk_live_{alnum*24}",
        ],
        ..token(
            "stripe",
            "Stripe",
            &[
                "sk_live", "sk_test", "sk_prod", "rk_live", "rk_test", "rk_prod", "whsec_",
            ],
            "(?:(?:sk|rk)_(?:live|test|prod)_|whsec_)[A-Za-z0-9]{10}",
            "[A-Za-z0-9+/=]",
        )
    },
    Rule {
        examples: &[
            "Incorrect API key provided: «sk-proj-{alnum*48}»",
            "«sk-{alnum*48}»",
            "«sk-ant-api03-{alnum*95}»",
        ],
        near_misses: &[
            "sk-learn-1.2",
            "task-proj-of-the-accounting-department",
            "sk-orders-by-customer-and-by-day",
        ],
        ..token(
            "openai",
            "OpenAI, Anthropic, and others with `sk-`",
            &["sk-"],
            "sk-(?:(?:proj|svcacct|admin|None|ant|or)-[A-Za-z0-9_-]{16}|[A-Za-z0-9]{32})",
            WORD,
        )
    },
    Rule {
        examples: &["«gsk_{alnum*52}»"],
        near_misses: &["gsk_settings"],
        ..token("groq", "Groq", &["gsk_"], "gsk_[A-Za-z0-9]{40}", ALNUM)
    },
    Rule {
        examples: &["«pplx-{alnum*48}»"],
        near_misses: &["pplx-7b-online"],
        ..token(
            "perplexity",
            "Perplexity",
            &["pplx-"],
            "pplx-[A-Za-z0-9]{40}",
            ALNUM,
        )
    },
    Rule {
        examples: &["«r8_{alnum*37}»"],
        near_misses: &["r8_unorm"],
        ..token(
            "replicate",
            "Replicate",
            &["r8_"],
            "r8_[A-Za-z0-9]{32}",
            ALNUM,
        )
    },
    Rule {
        examples: &["«xai-{alnum*80}»"],
        near_misses: &["xai-grok-2"],
        ..token("xai", "xAI", &["xai-"], "xai-[A-Za-z0-9]{60}", ALNUM)
    },
    Rule {
        examples: &["remote: denied «glpat-{alnum*20}»", "«glrt-{alnum*20}»"],
        near_misses: &["glpat-x", "gloss-of-the-words-in-the-text"],
        ..token(
            "gitlab",
            "GitLab",
            &[
                "glpat-",
                "gldt-",
                "glrt-",
                "glcbt-",
                "glptt-",
                "gloas-",
                "glsoat-",
                "glft-",
                "glimt-",
                "glagent-",
                "glffct-",
                "GR1348941",
            ],
            "(?:gl(?:pat|dt|rt|cbt|ptt|oas|soat|ft|imt|agent|ffct)-|GR1348941)[A-Za-z0-9_-]{20}",
            "[A-Za-z0-9._-]",
        )
    },
    Rule {
        examples: &["key=«AIza{alnum*35}» is blocked"],
        near_misses: &["AIzawa", "AIza{alnum*10}"],
        ..token(
            "google-api-key",
            "Google API keys",
            &["AIza"],
            "AIza[A-Za-z0-9_-]{35}",
            WORD,
        )
    },
    Rule {
        examples: &[
            "401 for «ya29.{alnum*60}»",
            "«GOCSPX-{alnum*28}»",
            "«1//0{alnum*60}»",
        ],
        near_misses: &["ya29.txt", "gocspx-x", "1//0"],
        ..token(
            "google-oauth",
            "Google OAuth",
            &["ya29.", "GOCSPX-", "1//0"],
            r"(?:ya29\.|GOCSPX-|1//0)[A-Za-z0-9_-]{20}",
            DOTTED,
        )
    },
    Rule {
        examples: &["Twilio key «SK{hex*32}»"],
        near_misses: &["SKU{digits*20}", "SK{hex*12}", "SK{hex*40}"],
        ..token("twilio", "Twilio", &["SK"], "SK[0-9a-f]{32}", NOTHING)
    },
    Rule {
        examples: &["401 «SG.{alnum*22}.{alnum*43}»"],
        near_misses: &["SG.de", "msg.{alnum*22}.{alnum*43}"],
        ..token(
            "sendgrid",
            "SendGrid",
            &["SG."],
            r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16}",
            WORD,
        )
    },
    Rule {
        examples: &["«key-{hex*32}»"],
        near_misses: &["key-value", "key-{hex*12}"],
        ..token("mailgun", "Mailgun", &["key-"], "key-[0-9a-f]{32}", NOTHING)
    },
    Rule {
        examples: &["«{hex*32}-us14»"],
        near_misses: &["{hex*32}-user", "{hex*12}-us14"],
        ..token(
            "mailchimp",
            "Mailchimp",
            &["-us"],
            "[0-9a-f]{32}-us[0-9]{1,2}",
            NOTHING,
        )
    },
    Rule {
        examples: &["«xkeysib-{hex*64}-{alnum*16}»"],
        near_misses: &["xkeysib-x"],
        ..token(
            "brevo",
            "Brevo",
            &["xkeysib-", "xsmtpsib-"],
            "x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
            NOTHING,
        )
    },
    Rule {
        examples: &["npm ERR! «npm_{alnum*36}»"],
        near_misses: &[
            "npm_config_registry",
            "npm_lifecycle_event_of_the_last_command_x",
        ],
        ..token("npm", "npm", &["npm_"], "npm_[A-Za-z0-9]{36}", NOTHING)
    },
    Rule {
        examples: &["403 for «pypi-AgEIcHlwaS5vcmc{alnum*70}»"],
        near_misses: &["pypi-agents", "pypi-AgE"],
        ..token(
            "pypi",
            "PyPI",
            &["pypi-AgE"],
            "pypi-AgE[A-Za-z0-9_-]{30}",
            WORD,
        )
    },
    Rule {
        examples: &["«rubygems_{hex*48}»"],
        near_misses: &["rubygems_mirror"],
        ..token(
            "rubygems",
            "RubyGems",
            &["rubygems_"],
            "rubygems_[0-9a-f]{48}",
            NOTHING,
        )
    },
    Rule {
        examples: &["«oy2{hex*43}»"],
        near_misses: &["oy2x"],
        ..token("nuget", "NuGet", &["oy2"], "oy2[a-z0-9]{43}", NOTHING)
    },
    Rule {
        examples: &["«dckr_pat_{alnum*27}»"],
        near_misses: &["dckr_pat_x"],
        ..token(
            "docker",
            "Docker Hub",
            &["dckr_"],
            "dckr_(?:pat|oat)_[A-Za-z0-9_-]{20}",
            WORD,
        )
    },
    Rule {
        examples: &["401 for «hf_{alnum*34}»"],
        near_misses: &["hf_transfer", "hf_hub_download"],
        ..token(
            "huggingface",
            "Hugging Face",
            &["hf_", "api_org_"],
            "(?:hf|api_org)_[A-Za-z0-9]{30}",
            ALNUM,
        )
    },
    Rule {
        examples: &["permission denied: «hvs.{alnum*95}»"],
        near_misses: &["hvs.txt"],
        ..token(
            "vault",
            "HashiCorp Vault",
            &["hvs.", "hvb.", "hvr."],
            r"hv[sbr]\.[A-Za-z0-9_-]{20}",
            WORD,
        )
    },
    Rule {
        examples: &["«{alnum*14}.atlasv1.{alnum*67}»"],
        near_misses: &["x.atlasv1.y"],
        ..token(
            "terraform",
            "Terraform Cloud",
            &[".atlasv1."],
            r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60}",
            "[A-Za-z0-9_=-]",
        )
    },
    Rule {
        examples: &["«dop_v1_{hex*64}»"],
        near_misses: &["dop_v1_x"],
        ..token(
            "digitalocean",
            "DigitalOcean",
            &["dop_v1_", "doo_v1_", "dor_v1_"],
            "do[opr]_v1_[0-9a-f]{64}",
            NOTHING,
        )
    },
    Rule {
        examples: &["AADSTS7000215: «abc8Q~{alnum*34}»"],
        near_misses: &["abc8Q~x"],
        ..token(
            "azure-secret",
            "Azure application secrets",
            &["Q~"],
            "[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31}",
            "[A-Za-z0-9_~.-]",
        )
    },
    Rule {
        examples: &["bot «123456789:AA{alnum*33}» is unauthorized"],
        near_misses: &["at 12345678:AAB"],
        ..token(
            "telegram",
            "Telegram bots",
            &[":AA"],
            "[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
            NOTHING,
        )
    },
    Rule {
        examples: &["«shpat_{hex*32}»"],
        near_misses: &["shpat_x"],
        ..token(
            "shopify",
            "Shopify",
            &["shpat_", "shpca_", "shppa_", "shpss_"],
            "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
            NOTHING,
        )
    },
    Rule {
        examples: &["«sq0atp-{alnum*22}»"],
        near_misses: &["sq0atp-x"],
        ..token(
            "square",
            "Square",
            &["sq0atp-", "sq0csp-"],
            "sq0(?:atp|csp)-[A-Za-z0-9_-]{22}",
            WORD,
        )
    },
    Rule {
        examples: &["«dapi{hex*32}»"],
        near_misses: &["dapi{hex*8}"],
        ..token(
            "databricks",
            "Databricks",
            &["dapi"],
            "dapi[0-9a-f]{32}",
            "[0-9-]",
        )
    },
    Rule {
        examples: &["«dp.pt.{alnum*43}»"],
        near_misses: &["dp.pt.x"],
        ..token(
            "doppler",
            "Doppler",
            &["dp."],
            r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40}",
            DOTTED,
        )
    },
    Rule {
        examples: &["«NRAK-{upper*27}»"],
        near_misses: &["NRAK-x"],
        ..token(
            "new-relic",
            "New Relic",
            &["NRAK-", "NRII-", "NRJS-"],
            "NR(?:AK|II|JS)-[A-Za-z0-9_-]{19}",
            WORD,
        )
    },
    Rule {
        examples: &["«ntn_{digits*11}{alnum*35}»"],
        near_misses: &["ntn_x"],
        ..token(
            "notion",
            "Notion",
            &["ntn_"],
            "ntn_[0-9]{11}[A-Za-z0-9]{35}",
            NOTHING,
        )
    },
    Rule {
        examples: &["«lin_api_{alnum*40}»"],
        near_misses: &["lin_reg_x"],
        ..token(
            "linear",
            "Linear",
            &["lin_"],
            "lin_(?:api|oauth)_[A-Za-z0-9]{32}",
            ALNUM,
        )
    },
    Rule {
        examples: &["«pscale_tkn_{alnum*43}»"],
        near_misses: &["pscale_tkn_x"],
        ..token(
            "planetscale",
            "PlanetScale",
            &["pscale_"],
            "pscale_(?:tkn|oauth|pw)_[A-Za-z0-9_=.-]{32}",
            DOTTED,
        )
    },
    Rule {
        examples: &["«sbp_{hex*40}»"],
        near_misses: &["sbp_x"],
        ..token(
            "supabase",
            "Supabase",
            &["sbp_", "sb_secret_"],
            "(?:sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{20})",
            WORD,
        )
    },
    Rule {
        examples: &["«PMAK-{hex*24}-{hex*34}»"],
        near_misses: &["PMAK-x"],
        ..token(
            "postman",
            "Postman",
            &["PMAK-"],
            "PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
            NOTHING,
        )
    },
    Rule {
        examples: &["«pul-{hex*40}»"],
        near_misses: &["pul-x"],
        ..token("pulumi", "Pulumi", &["pul-"], "pul-[0-9a-f]{40}", NOTHING)
    },
    Rule {
        examples: &["«glsa_{alnum*32}_{hex*8}»", "«glc_{base64*80}»"],
        near_misses: &["glc_x"],
        ..token(
            "grafana",
            "Grafana",
            &["glsa_", "glc_"],
            "(?:glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}|glc_[A-Za-z0-9+/]{32})",
            "[A-Za-z0-9+/=]",
        )
    },
    Rule {
        examples: &["«sntryu_{hex*64}»"],
        near_misses: &["sntrys_x"],
        ..token(
            "sentry",
            "Sentry",
            &["sntry"],
            "sntry[su]_[A-Za-z0-9+/=_]{40}",
            "[A-Za-z0-9+/=_]",
        )
    },
    Rule {
        examples: &["«dt0c01.{upper*24}.{upper*64}»"],
        near_misses: &["dt0c01.x"],
        ..token(
            "dynatrace",
            "Dynatrace",
            &["dt0"],
            r"dt0[a-z][0-9]{2}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{64}",
            NOTHING,
        )
    },
    Rule {
        examples: &["«cflt{base64*60}»"],
        near_misses: &["cflt"],
        ..token(
            "confluent",
            "Confluent Cloud",
            &["cflt"],
            "cflt[A-Za-z0-9/+]{56}",
            BASE64,
        )
    },
    Rule {
        examples: &["«ATATT3{alnum*186}»"],
        near_misses: &["ATBB"],
        ..token(
            "atlassian",
            "Atlassian",
            &["ATATT3", "ATBB", "ATCTT3"],
            "(?:ATATT3|ATCTT3|ATBB)[A-Za-z0-9_=-]{24}",
            "[A-Za-z0-9_=-]",
        )
    },
    Rule {
        examples: &["«pat{alnum*14}.{hex*64}»"],
        near_misses: &["pattern.{hex*64}"],
        ..token(
            "airtable",
            "Airtable",
            &["pat"],
            r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
            NOTHING,
        )
    },
    Rule {
        examples: &[
            "«A3-{upper*6}-{upper*11}-{upper*5}-{upper*5}-{upper*5}»",
            "«ops_eyJ{base64*260}»",
        ],
        near_misses: &["A3-size"],
        ..token(
            "one-password",
            "1Password",
            &["A3-", "ops_eyJ"],
            "(?:A3-[A-Z0-9]{6}-[A-Z0-9]{6,11}-[A-Z0-9-]{11,24}|ops_eyJ[A-Za-z0-9+/=]{40})",
            "[A-Za-z0-9+/=-]",
        )
    },
    Rule {
        examples: &["«AKCp{alnum*69}»"],
        near_misses: &["AKCp"],
        ..token(
            "artifactory",
            "JFrog Artifactory",
            &["AKCp", "cmVmd"],
            "(?:AKCp|cmVmd)[A-Za-z0-9]{58}",
            ALNUM,
        )
    },
    Rule {
        examples: &["«fm2_{base64*120}»"],
        near_misses: &["fo1_x"],
        ..token(
            "fly",
            "Fly.io",
            &["fo1_", "fm1", "fm2_"],
            "(?:fo1|fm1[ar]|fm2)_[A-Za-z0-9+/_-]{43}",
            "[A-Za-z0-9+/=_-]",
        )
    },
    Rule {
        examples: &["«AGE-SECRET-KEY-1{upper*58}»"],
        near_misses: &["AGE-SECRET-KEY-1"],
        ..token(
            "age",
            "age",
            &["AGE-SECRET-KEY-1"],
            "AGE-SECRET-KEY-1[A-Z0-9]{58}",
            NOTHING,
        )
    },
    Rule {
        examples: &["«figd_{alnum*40}»"],
        near_misses: &["figd_x"],
        ..token("figma", "Figma", &["figd_"], "figd_[A-Za-z0-9_-]{32}", WORD)
    },
    Rule {
        examples: &["«sl.{alnum*135}»"],
        near_misses: &["ssl.{alnum*135}", "sl.txt"],
        ..token(
            "dropbox",
            "Dropbox",
            &["sl."],
            r"sl\.[A-Za-z0-9_=-]{100}",
            "[A-Za-z0-9_=-]",
        )
    },
    Rule {
        examples: &["«EAAC{alnum*160}»"],
        near_misses: &["EAAC"],
        ..token(
            "facebook",
            "Facebook",
            &["EAAM", "EAAC"],
            "EAA[MC][A-Za-z0-9]{100}",
            ALNUM,
        )
    },
    Rule {
        examples: &["«AAAAAAAAAAAAAAAAAAAAAA{alnum*90}»"],
        near_misses: &["AAAAAAAAAAAAAAAAAAAAAA"],
        ..token(
            "twitter",
            "Twitter",
            &["AAAAAAAAAAAAAAAAAAAAAA"],
            "AAAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{60}",
            "[A-Za-z0-9%]",
        )
    },
    Rule {
        examples: &["«sha256~{alnum*43}»"],
        near_misses: &["sha256:{hex*64}"],
        ..token(
            "openshift",
            "OpenShift",
            &["sha256~"],
            "sha256~[A-Za-z0-9_-]{43}",
            NOTHING,
        )
    },
    Rule {
        examples: &[
            "«LTAI{alnum*20}»",
            "«pnu_{alnum*36}»",
            "«shippo_live_{hex*40}»",
        ],
        near_misses: &["API-{upper*12}", "v1.0-rc1", "duffel_test_x"],
        ..token(
            "others",
            "Alibaba, Cloudflare, Duffel, EasyPost, Octopus, Prefect, ReadMe, Shippo, Typeform, Yandex",
            &[
                "LTAI", "v1.0-", "duffel_", "EZAK", "EZTK", "API-", "pnu_", "rdme_", "shippo_",
                "tfp_", "AQVN",
            ],
            concat!(
                r"(?:LTAI[A-Za-z0-9]{20}",
                r"|v1\.0-[0-9a-f]{24}-[0-9a-f]{146}",
                r"|duffel_(?:test",
                r"|live)_[A-Za-z0-9_=-]{43}",
                r"|EZ[AT]K[A-Za-z0-9]{54}",
                r"|API-[A-Z0-9]{26}",
                r"|pnu_[A-Za-z0-9]{36}",
                r"|rdme_[a-z0-9]{70}",
                r"|shippo_(?:live",
                r"|test)_[0-9a-fA-F]{40}",
                r"|tfp_[A-Za-z0-9._=-]{59}",
                r"|AQVN[A-Za-z0-9_-]{35})"
            ),
            NOTHING,
        )
    },
    Rule {
        secret: Secret::Pem,
        before: Before::Any,
        examples: &[
            "«-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----» x",
            "«-----BEGIN PGP PRIVATE KEY BLOCK-----\nabc»",
        ],
        near_misses: &[
            "-----BEGIN CERTIFICATE-----\nabc",
            "-----BEGIN PUBLIC KEY-----",
        ],
        ..token(
            "private-key",
            "Private keys, whole or cut",
            &["-----BEGIN"],
            "-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
            NOTHING,
        )
    },
];
