import MeshBase
import Testing

/// The values of the reference implementation (its vectors.h): key 00 ... 0f, inputs 00, 01, 02 and on.
@Suite struct SipHashTests {
    let hash = SipHash(key: 0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)

    @Test("words are hashed as the reference implementation of SipHash-2-4 does")
    func words() {
        #expect(hash.hash(of: 0x0706_0504_0302_0100) == 0x93f5_f579_9a93_2462)
        let words: InlineArray<4, UInt64> = [
            0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908, 0x1716_1514_1312_1110, 0x1f1e_1d1c_1b1a_1918,
        ]
        #expect(hash.hash(of: words) == 0x7127_512f_72f2_7cce)
    }

    @Test(
        "bytes are hashed as the reference implementation does, however many",
        arguments: [
            (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (2, 0x0d6c_8009_d9a9_4f5a),
            (3, 0x8567_6696_d7fb_7e2d), (7, 0xab02_00f5_8b01_d137), (8, 0x93f5_f579_9a93_2462),
            (9, 0x9e00_82df_0ba9_e4b0), (15, 0xa129_ca61_49be_45e5), (32, 0x7127_512f_72f2_7cce),
        ] as [(Int, UInt64)])
    func bytes(length: Int, expected: UInt64) {
        let input = (0..<length).map { UInt8($0) }
        #expect(input.withUnsafeBytes { hash.hash(of: $0) } == expected)
    }
}
