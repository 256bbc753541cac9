//! Columns that look like what must not be kept: content, and who somebody is.
//!
//! A table of people or figures needs neither. Such a column is refused by its name until essor.toml says what it
//! is: a list that somebody exported by mistake is not to be taken for harmless since nothing reads it today.

/// What an identity or a message is called, as the last word of a column's name: a `server_name` and a
/// `message_count` are none.
const NOUNS: [&str; 54] = [
    "text",
    "body",
    "message",
    "msg",
    "content",
    "contents",
    "subject",
    "transcript",
    "snippet",
    "email",
    "emails",
    "mail",
    "mails",
    "phone",
    "phones",
    "telephone",
    "tel",
    "msisdn",
    "mobile",
    "imei",
    "imsi",
    "username",
    "nickname",
    "surname",
    "firstname",
    "lastname",
    "fullname",
    "displayname",
    "realname",
    "screenname",
    "nick",
    "handle",
    "mxid",
    "jid",
    "upn",
    "ip",
    "ips",
    "ipv4",
    "ipv6",
    "ipaddr",
    "ipaddress",
    "remoteaddr",
    "address",
    "addresses",
    "addr",
    "token",
    "tokens",
    "password",
    "passwd",
    "secret",
    "cookie",
    "birthday",
    "birthdate",
    "iban",
];

/// Whose name a `name` is that names a person; a `name` alone does too.
const PERSONS: [&str; 22] = [
    "user",
    "full",
    "first",
    "last",
    "middle",
    "given",
    "family",
    "display",
    "real",
    "nick",
    "screen",
    "sur",
    "contact",
    "sender",
    "author",
    "member",
    "profile",
    "customer",
    "person",
    "account",
    "preferred",
    "legal",
];

/// What stands behind a noun without making anything else of it: `phone_number`, `email_hash`.
const BEHIND: [&str; 11] = [
    "hash",
    "hashed",
    "md5",
    "sha1",
    "sha256",
    "raw",
    "plain",
    "value",
    "encrypted",
    "lower",
    "normalized",
];

/// What a machine has and a person has not: the `address` of a server is public.
const MACHINES: [&str; 4] = ["server", "host", "node", "instance"];

/// Whether a column's name says that it holds content or who somebody is.
pub(super) fn suspicious(name: &str) -> bool {
    let words = words(name);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    while words.len() > 1 && words.last().is_some_and(|last| BEHIND.contains(last)) {
        words.pop();
    }
    match words.as_slice() {
        [] => false,
        [machine, ..] if MACHINES.contains(machine) => false,
        ["name"] | ["from" | "to" | "cc" | "bcc"] => true,
        ["e", "mail"]
        | [
            ..,
            "phone" | "mobile" | "telephone" | "msisdn",
            "number" | "no",
        ] => true,
        ["forwarded", "for"] | ["x", "forwarded", "for"] => true,
        [.., whose, "name"] => PERSONS.contains(whose),
        [.., last] => NOUNS.contains(last),
    }
}

/// The words of a name, in small letters: of `displayName`, `display_name` and `Display Name` the same.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            words.push(String::new());
        } else {
            if c.is_uppercase() && small {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(c.to_lowercase());
            }
        }
        small = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_content_and_identity_are_told_from_names_of_counts() {
        for name in [
            "text",
            "Body",
            "message",
            "message_text",
            "content",
            "e-mail",
            "E-Mail",
            "email",
            "user_email",
            "emailAddress",
            "email_hash",
            "phone",
            "phone_number",
            "Phone Number",
            "msisdn",
            "name",
            "user_name",
            "username",
            "userName",
            "display_name",
            "displayName",
            "full name",
            "first_name",
            "ip",
            "last_ip",
            "ip_address",
            "IPAddress",
            "remote_addr",
            "forwarded_for",
            "access_token",
            "password",
            "password_hash",
            "address",
            "from",
            "sender_name",
            "IP",
        ] {
            assert!(suspicious(name), "{name}");
        }
        for name in [
            "messages",
            "message_count",
            "messageCount",
            "text_messages",
            "texts_sent",
            "email_count",
            "platform_name",
            "server_name",
            "event_name",
            "client",
            "country",
            "note",
            "user",
            "user_id",
            "server_address",
            "token_count",
            "emails_sent",
            "content_type",
            "message_id",
            "day",
            "",
            "_",
            "tooltip",
            "phone_model",
        ] {
            assert!(!suspicious(name), "{name}");
        }
    }
}
