//! Typed structured data of EIP-712: hashes of structs, the domain separator, the digest that is signed.

use sha3::{Digest, Keccak256};

/// A member of a struct as it enters its hash.
#[derive(Debug, Clone, Copy)]
pub(super) enum Member<'a> {
    /// `bytes32`, and the hash of a struct that is a member.
    Bytes32([u8; 32]),
    /// `uint256`.
    Integer(u128),
    /// `string`.
    Text(&'a str),
}

/// Keccak-256, the hash of Ethereum (not SHA3-256).
pub(super) fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// `hashStruct`: Keccak-256 of the hash of the encoded type and the encoded members.
pub(super) fn hash_struct(encoded_type: &str, members: &[Member<'_>]) -> [u8; 32] {
    let mut data = keccak(encoded_type.as_bytes()).to_vec();
    for member in members {
        let word = match member {
            Member::Bytes32(word) => *word,
            Member::Text(text) => keccak(text.as_bytes()),
            Member::Integer(integer) => {
                let mut word = [0; 32];
                word[16..].copy_from_slice(&integer.to_be_bytes());
                word
            }
        };
        data.extend(word);
    }
    keccak(&data)
}

/// What is signed: Keccak-256 of `0x19 0x01`, the domain separator and the hash of the message.
pub(super) fn digest(domain_separator: [u8; 32], message: [u8; 32]) -> [u8; 32] {
    keccak(&[&[0x19, 0x01], &domain_separator[..], &message[..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: &str = "Person(string name,address wallet)";

    fn address(hex: &str) -> Member<'_> {
        let mut word = [0; 32];
        word[12..].copy_from_slice(&const_hex::decode(hex).expect("hexadecimal"));
        Member::Bytes32(word)
    }

    fn person(name: &str, wallet: &str) -> Member<'static> {
        Member::Bytes32(hash_struct(PERSON, &[Member::Text(name), address(wallet)]))
    }

    /// The example of the EIP, `Example.js`.
    #[test]
    fn the_published_mail_has_its_published_hashes_and_signature() {
        let domain = hash_struct(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
            &[
                Member::Text("Ether Mail"),
                Member::Text("1"),
                Member::Integer(1),
                address("CcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"),
            ],
        );
        assert_eq!(const_hex::encode(domain), "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");
        let mail = hash_struct(
            &format!("Mail(Person from,Person to,string contents){PERSON}"),
            &[
                person("Cow", "CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"),
                person("Bob", "bBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"),
                Member::Text("Hello, Bob!"),
            ],
        );
        assert_eq!(const_hex::encode(mail), "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
        let digest = digest(domain, mail);
        assert_eq!(const_hex::encode(digest), "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
        let signed = super::super::signature::sign_digest(&keccak(b"cow"), &digest).expect("a key");
        let expected = [
            "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d",
            "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562",
            "1c",
        ];
        assert_eq!(const_hex::encode(signed), expected.concat());
        let signer = super::super::signature::recover(&digest, &signed).expect("a signer");
        assert_eq!(const_hex::encode(signer), "cd2a3d9f938e13cd947ec05abc7fe734df8dd826");
    }
}
