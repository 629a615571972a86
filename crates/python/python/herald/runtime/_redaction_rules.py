"""The table of secrets, printed by crates/redact/tests/python.rs: change it there."""

from typing import Final

# Kind of secret, what may not stand before it, whether case does not matter, keywords,
# pattern, and what follows.
RULES: Final = (
    (
        "assigned",
        "any",
        True,
        "pass pwd secret credential creds token key session sessid user_info user.info",
        "(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd|secrets?|credentials?"
        "|creds|token|(?:api|access|account|private|secret|signing|encryption"
        "|master|auth|shared|storage|license)[_.-]?key|session[_.-]?id"
        "|phpsessid"
        r"""|user[_.]info)([a-z0-9_.-]{0,32})[\\"'\])]{0,4}[ \t]{0,16}[=:]?=>?""",
        "",
    ),
    (
        "line",
        "any",
        True,
        "pass pwd secret credential creds token key session sessid user_info user.info",
        "(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd|secrets?|credentials?"
        "|creds|token|(?:api|access|account|private|secret|signing|encryption"
        "|master|auth|shared|storage|license)[_.-]?key|session[_.-]?id"
        r"""|phpsessid|user[_.]info)([a-z0-9_.-]{0,32})[\\"'\])]{0,4}[ \t]{0,16}:""",
        "",
    ),
    (
        "paired",
        "any",
        True,
        "pass pwd secret credential creds token key session sessid user_info user.info",
        "(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd|secrets?|credentials?"
        "|creds|token|(?:api|access|account|private|secret|signing|encryption"
        "|master|auth|shared|storage|license)[_.-]?key|session[_.-]?id"
        r"""|phpsessid|user[_.]info)([a-z0-9_.-]{0,32})["'][ \t]{0,16},""",
        "",
    ),
    (
        "option",
        "any",
        True,
        "--",
        "--[a-z0-9_.-]{0,40}(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd"
        "|secrets?|credentials?|creds|token|(?:api|access|account|private"
        "|secret|signing|encryption|master|auth|shared|storage"
        "|license)[_.-]?key|session[_.-]?id|phpsessid"
        "|user[_.]info)([a-z0-9_.-]{0,16})[ ]{1,8}",
        "",
    ),
    (
        "element",
        "any",
        True,
        "<",
        "<[a-z0-9_:.-]{0,16}(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd"
        "|secrets?|credentials?|creds|token|(?:api|access|account|private"
        "|secret|signing|encryption|master|auth|shared|storage"
        "|license)[_.-]?key|session[_.-]?id|phpsessid"
        "|user[_.]info)([^<>]{0,160})>",
        "",
    ),
    (
        "quoted",
        "any",
        True,
        "pass pwd secret credential creds token key session sessid user_info user.info",
        "(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd|secrets?|credentials?"
        "|creds|token|(?:api|access|account|private|secret|signing|encryption"
        "|master|auth|shared|storage|license)[_.-]?key|session[_.-]?id"
        "|phpsessid"
        """|user[_.]info)([a-z0-9_.-]{0,32})["'][ ]{1,4}value[ ]{0,4}=[ ]{0,4}""",
        "",
    ),
    (
        "encoded",
        "any",
        True,
        "%3a %3d %253a %253d",
        "(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd|secrets?|credentials?"
        "|creds|token|(?:api|access|account|private|secret|signing|encryption"
        "|master|auth|shared|storage|license)[_.-]?key|session[_.-]?id"
        "|phpsessid|user[_.]info)([a-z0-9_.-]{0,32})(?:%(?:25)?2[27]"
        "|%(?:25)?5d)?(?:%20|[+])?%(?:25)?3[ad]",
        "",
    ),
    (
        "header",
        "any",
        True,
        "authorization cookie passphrase",
        "(?:authorization|cookie"
        r"""|passphrase)[\\"'\])]{0,4}[ \t]{0,16}(?:[=:]?=>?|:)""",
        "",
    ),
    (
        "quoted",
        "any",
        True,
        "authorization cookie passphrase",
        r"""[(\[]b?["'](?:authorization|(?:set-)?cookie|passphrase)["'][ \t]{0,16},""",
        "",
    ),
    (
        "credentials",
        "part",
        True,
        "bearer basic",
        r"(?:bearer|basic)(?:[ \t\r\n]{1,8}|%20|[+])",
        "",
    ),
    ("input_value", "any", True, "input_value=", "input_value=", ""),
    (
        "following",
        "any",
        True,
        '"auth"',
        '"auth"[ ]{0,4}:[ ]{0,4}"',
        "[A-Za-z0-9+/=]{8,}",
    ),
    (
        "quoted",
        "any",
        True,
        "login identified password",
        r"(?:(?:with|encrypted) password|identified by)[ \t]{1,8}",
        "",
    ),
    (
        "following",
        "any",
        True,
        "login",
        r"login[ \t]{1,8}[^ \t\r\n]{1,64}[ \t\r\n]{1,8}password[ \t]{1,8}",
        r"[^ \t\r\n]{1,}",
    ),
    ("user_info", "any", True, "://", "://", ""),
    ("encoded_user_info", "any", True, "%3a%2f%2f", "%3a%2f%2f", ""),
    (
        "following",
        "any",
        True,
        "oracle:",
        "oracle:(?:thin|oci):[^/@ ]{1,64}/",
        r"""[^@ \t\r\n"']{1,}""",
    ),
    (
        "following",
        "alphanumeric",
        True,
        "sig= signature=",
        "(?:sig|signature|x-amz-signature|x-goog-signature)=",
        "[A-Za-z0-9%+/=_.~-]{16,}",
    ),
    (
        "following",
        "any",
        True,
        "code= verifier= assertion=",
        "[?&](?:code|code_verifier|assertion|client_assertion)=",
        "[A-Za-z0-9%+/=_.~-]{16,}",
    ),
    ("following", "any", True, "/bot", "/bot[0-9]{6,12}:", "[A-Za-z0-9_-]{30,}"),
    (
        "following",
        "any",
        True,
        "hooks.slack",
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/",
        "[A-Za-z0-9+/_-]{16,}",
    ),
    (
        "following",
        "any",
        True,
        "/api/webhooks/",
        "/api/webhooks/[0-9]{10,20}/",
        "[A-Za-z0-9_-]{20,}",
    ),
    (
        "following",
        "any",
        True,
        "webhook.office.com",
        r"webhook\.office\.com/webhookb2/",
        "[A-Za-z0-9@/_-]{16,}",
    ),
    (
        "user_password",
        "alphanumeric",
        False,
        "curl",
        r"""curl[^\r\n]{0,200}[ "'](?:-u|-U|--user|--proxy-user)[ =,"']{0,3}""",
        "",
    ),
    (
        "following",
        "alphanumeric",
        False,
        "mysql mariadb",
        r"""(?:mysql|mariadb)[^\r\n]{0,200}[ "']-p""",
        r"""[^ \t\r\n"',]{1,}""",
    ),
    (
        "following",
        "alphanumeric",
        False,
        "sshpass",
        """sshpass[ "',]{1,4}-p[ "',]{0,4}""",
        r"""[^ \t\r\n"',]{1,}""",
    ),
    (
        "following",
        "alphanumeric",
        False,
        "redis-cli",
        r"""redis-cli[^\r\n]{0,200}[ "']-a[ "',]{1,4}""",
        r"""[^ \t\r\n"',]{1,}""",
    ),
    (
        "following",
        "alphanumeric",
        False,
        "ldap",
        r"""ldap[a-z]{1,16}[^\r\n]{0,200}[ "']-w[ "',]{0,4}""",
        r"""[^ \t\r\n"',]{1,}""",
    ),
    (
        "following",
        "alphanumeric",
        False,
        "mongo",
        r"""mongo[^\r\n]{0,200}[ "']-p[ "',]{1,4}""",
        r"""[^ \t\r\n"',]{1,}""",
    ),
    (
        "code",
        "alphanumeric",
        True,
        "otp code",
        "(?:t?otp|(?:verification|security|mfa|2fa|auth|login"
        r"""|one[_ -]?time)[_ -]?code)[\\"'\])]{0,4}[ \t]{0,4}(?:[:=]|is"""
        r"""|was)?[ \t]{0,4}[\\"']{0,2}""",
        "",
    ),
    (
        "code",
        "alphanumeric",
        True,
        "pin cvv cvc",
        r"""(?:pin|pin[_ -]?code|cvv2?|cvc2?)[\\"'\])]{0,4}[ \t]{0,4}(?:[:=]|is"""
        r"""|was)[ \t]{0,4}[\\"']{0,2}""",
        "",
    ),
    (
        "card",
        "part",
        False,
        "",
        "[0-9]{4}[ .-][0-9]{4}[ .-][0-9]{4}[ .-][0-9]{4}"
        "|3[0-9]{3}[ .-][0-9]{6}[ .-][0-9]{4,5}|[0-9]{14,16}",
        "",
    ),
    ("iban", "alphanumeric", False, "", "[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,40}", ""),
    (
        "match",
        "alphanumeric",
        False,
        "eyJ ya29. GOCSPX- 1//0 dp. pscale_",
        r"eyJ[A-Za-z0-9_-]{8}|(?:ya29\.|GOCSPX-|1//0)[A-Za-z0-9_-]{20}|dp\.(?:pt"
        r"|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40}|pscale_(?:tkn|oauth"
        "|pw)_[A-Za-z0-9_=.-]{32}",
        "[A-Za-z0-9_=.-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        "(?:gh[opsur]|github_pat)_[A-Za-z0-9_]{16}",
        "[A-Za-z0-9_]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "A3T AKIA ASIA ABIA ACCA SK key- -us xkeysib- xsmtpsib- npm_ rubygems_"
        " oy2 dop_v1_ doo_v1_ dor_v1_ :AA shpat_ shpca_ shppa_ shpss_ ntn_"
        " PMAK- pul- dt0 pat AGE-SECRET-KEY-1 sha256~ LTAI v1.0- duffel_ EZAK"
        " EZTK API- pnu_ rdme_ shippo_ tfp_ AQVN",
        "(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|SK[0-9a-f]{32}"
        "|key-[0-9a-f]{32}|[0-9a-f]{32}-us[0-9]{1,2}|x(?:key"
        "|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}|npm_[A-Za-z0-9]{36}"
        "|rubygems_[0-9a-f]{48}|oy2[a-z0-9]{43}|do[opr]_v1_[0-9a-f]{64}"
        "|[0-9]{8,10}:AA[A-Za-z0-9_-]{33}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"
        "|ntn_[0-9]{11}[A-Za-z0-9]{35}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}"
        r"|pul-[0-9a-f]{40}|dt0[a-z][0-9]{2}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{64}"
        r"|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|AGE-SECRET-KEY-1[A-Z0-9]{58}"
        "|sha256~[A-Za-z0-9_-]{43}|(?:LTAI[A-Za-z0-9]{20}"
        r"|v1\.0-[0-9a-f]{24}-[0-9a-f]{146}|duffel_(?:test"
        "|live)_[A-Za-z0-9_=-]{43}|EZ[AT]K[A-Za-z0-9]{54}|API-[A-Z0-9]{26}"
        "|pnu_[A-Za-z0-9]{36}|rdme_[a-z0-9]{70}|shippo_(?:live"
        "|test)_[0-9a-fA-F]{40}|tfp_[A-Za-z0-9._=-]{59}|AQVN[A-Za-z0-9_-]{35})",
        "(?![A-Za-z0-9])",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "ABSK bedrock-api-key- sk_live sk_test sk_prod rk_live rk_test rk_prod"
        " whsec_ glsa_ glc_ cflt",
        "(?:ABSK|bedrock-api-key-)[A-Za-z0-9+/=]{40}|(?:(?:sk|rk)_(?:live|test"
        "|prod)_|whsec_)[A-Za-z0-9]{10}|(?:glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}"
        "|glc_[A-Za-z0-9+/]{32})|cflt[A-Za-z0-9/+]{56}",
        "[A-Za-z0-9+/=]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "xox xapp-",
        "(?:xox[a-z][.-]|xapp-[0-9]-)[A-Za-z0-9-]{8}",
        "[A-Za-z0-9.-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "sk- AIza SG. pypi-AgE dckr_ hvs. hvb. hvr. sq0atp- sq0csp- NRAK- NRII-"
        " NRJS- sbp_ sb_secret_ figd_",
        "sk-(?:(?:proj|svcacct|admin|None|ant|or)-[A-Za-z0-9_-]{16}"
        "|[A-Za-z0-9]{32})|AIza[A-Za-z0-9_-]{35}"
        r"|SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16}|pypi-AgE[A-Za-z0-9_-]{30}"
        r"|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20}|hv[sbr]\.[A-Za-z0-9_-]{20}"
        "|sq0(?:atp|csp)-[A-Za-z0-9_-]{22}|NR(?:AK|II|JS)-[A-Za-z0-9_-]{19}"
        "|(?:sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{20})"
        "|figd_[A-Za-z0-9_-]{32}",
        "[A-Za-z0-9_-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "gsk_ pplx- r8_ xai- hf_ api_org_ lin_ AKCp cmVmd EAAM EAAC",
        "gsk_[A-Za-z0-9]{40}|pplx-[A-Za-z0-9]{40}|r8_[A-Za-z0-9]{32}"
        "|xai-[A-Za-z0-9]{60}|(?:hf|api_org)_[A-Za-z0-9]{30}|lin_(?:api"
        "|oauth)_[A-Za-z0-9]{32}|(?:AKCp|cmVmd)[A-Za-z0-9]{58}"
        "|EAA[MC][A-Za-z0-9]{100}",
        "[A-Za-z0-9]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "glpat- gldt- glrt- glcbt- glptt- gloas- glsoat- glft- glimt- glagent-"
        " glffct- GR1348941",
        "(?:gl(?:pat|dt|rt|cbt|ptt|oas|soat|ft|imt|agent|ffct)-"
        "|GR1348941)[A-Za-z0-9_-]{20}",
        "[A-Za-z0-9._-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        ".atlasv1. ATATT3 ATBB ATCTT3 sl.",
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60}|(?:ATATT3|ATCTT3"
        r"|ATBB)[A-Za-z0-9_=-]{24}|sl\.[A-Za-z0-9_=-]{100}",
        "[A-Za-z0-9_=-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "Q~",
        "[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31}",
        "[A-Za-z0-9_~.-]*",
    ),
    ("match", "alphanumeric", False, "dapi", "dapi[0-9a-f]{32}", "[0-9-]*"),
    (
        "match",
        "alphanumeric",
        False,
        "sntry",
        "sntry[su]_[A-Za-z0-9+/=_]{40}",
        "[A-Za-z0-9+/=_]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "A3- ops_eyJ",
        "(?:A3-[A-Z0-9]{6}-[A-Z0-9]{6,11}-[A-Z0-9-]{11,24}|ops_eyJ[A-Za-z0-9+/=]{40})",
        "[A-Za-z0-9+/=-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "fo1_ fm1 fm2_",
        "(?:fo1|fm1[ar]|fm2)_[A-Za-z0-9+/_-]{43}",
        "[A-Za-z0-9+/=_-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "AAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{60}",
        "[A-Za-z0-9%]*",
    ),
    (
        "pem",
        "any",
        False,
        "-----BEGIN",
        "-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
        "",
    ),
)

# Suffixes of names that are not secret, and words of prose behind "Bearer".
PUBLIC_ENDINGS: Final = (
    "less|_type|_count|_limit|_url|_uri|_endpoint|_name|_policy|_length|_ttl|_expiry"
    "|_expires|_expires_in|_expires_at|_version|_required|_enabled|_field|_path|_file"
    "|_arn|_budget|_usage|_location"
)
PROSE: Final = (
    "access|and|are|auth|authentication|authorization|credential|credentials|for|from"
    "|has|header|http|in|is|missing|must|not|of|or|realm|required|scheme|token|tokens"
    "|was|with"
)

# First and last prefix of cards, least and most digits; lengths of IBANs.
CARDS: Final = (
    (2221, 2720, 16, 16),
    (3000, 3059, 14, 14),
    (3400, 3499, 15, 15),
    (3528, 3589, 16, 19),
    (3600, 3699, 14, 14),
    (3700, 3799, 15, 15),
    (3800, 3999, 14, 14),
    (4000, 4999, 16, 19),
    (5100, 5599, 16, 16),
    (6011, 6011, 16, 19),
    (6200, 6299, 16, 19),
    (6440, 6599, 16, 19),
)
IBAN_LENGTHS: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22"
    " DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28"
    " IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27"
    " MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24"
    " SC31 SD18 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
)
