//! Keys go to the partitions that other clients choose.

use herald_envelope::key::{murmur2, partition};

/// Key, hash, and the partition of 1, 3, 12 and 100, as aiokafka 0.14 gives them.
const AIOKAFKA: [(&str, u32, [u32; 4]); 13] = [
    ("", 0x106e_08d9, [0, 0, 9, 81]),
    ("a", 0xa2d0_b27c, [0, 1, 4, 24]),
    ("ab", 0x12d8_262a, [0, 2, 2, 34]),
    ("abc", 0x1c94_221b, [0, 0, 3, 7]),
    ("abcd", 0xb11a_b5f4, [0, 2, 8, 0]),
    ("abcde", 0x1b89_7edd, [0, 1, 1, 41]),
    ("21", 0xc5f2_f8ec, [0, 0, 0, 40]),
    ("foobar", 0xd0e4_7bbe, [0, 0, 6, 66]),
    ("a-little-bit-long-string", 0xc53b_1da0, [0, 2, 8, 12]),
    (
        "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
        0xfc7d_49cd,
        [0, 2, 5, 77],
    ),
    ("größe", 0x230e_abf4, [0, 2, 8, 84]),
    (
        "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d",
        0xca8b_3d2c,
        [0, 0, 0, 48],
    ),
    (
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        0x751b_0f3e,
        [0, 2, 2, 46],
    ),
];

#[test]
fn chooses_the_same_partition_as_aiokafka() {
    for (key, hash, partitions) in AIOKAFKA {
        assert_eq!(murmur2(key.as_bytes()), hash, "{key}");
        let chosen = [1, 3, 12, 100].map(|count| partition(key.as_bytes(), count));
        assert_eq!(chosen, partitions, "{key}");
    }
}
