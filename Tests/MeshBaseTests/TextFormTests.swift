import MeshBase
import Testing

@Suite("Bytes as text")
struct TextFormTests {
    private func samples() -> [[UInt8]] {
        var generator = SeededGenerator(seed: 2)
        return (0...70).map { generator.bytes($0) }
    }

    @Test("base64url gives back the bytes it was made of")
    func base64RoundTrip() {
        for bytes in samples() { #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes) }
        #expect(Base64URL.encode(Array("f".utf8)) == "Zg")
        #expect(Base64URL.encode(Array("foobar".utf8)) == "Zm9vYmFy")
        #expect(Base64URL.encode([0xfb, 0xff]) == "-_8")
    }

    @Test(
        "base64url refuses padding, the other alphabet, white space, lengths no encoder makes and stray bits",
        arguments: ["Zg==", "+/8", "Zm 9v", "Zm9v\n", "Z", "Zm9vY", "Zh", "Zm9", "é"])
    func base64IsStrict(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test("base64 with padding gives back the bytes it was made of")
    func paddedRoundTrip() {
        for bytes in samples() { #expect(Base64.decode(Base64.encode(bytes)) == bytes) }
        #expect(Base64.encode(Array("f".utf8)) == "Zg==")
        #expect(Base64.encode([0xfb, 0xff]) == "+/8=")
    }

    @Test(
        "base64 refuses missing, short and inner padding, the other alphabet, white space and stray bits",
        arguments: [
            "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Z=g=", "-_8=", "Zg==\n", "Zh==", "Zm9=", "é===",
        ])
    func paddedIsStrict(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("base32 gives back the bytes it was made of, in lower case")
    func base32RoundTrip() {
        for bytes in samples() { #expect(Base32.decode(Base32.encode(bytes).utf8) == bytes) }
        #expect(Base32.encode(Array("foobar".utf8)) == "mzxw6ytboi")
    }

    @Test(
        "base32 refuses upper case, padding, lengths no encoder makes and stray bits",
        arguments: ["MZXW6", "my======", "m", "mzx", "mzxw6y", "mz", "m1", "m8"])
    func base32IsStrict(text: String) {
        #expect(Base32.decode(text.utf8) == nil)
    }

    @Test("hexadecimal gives back the bytes it was made of, and reads either case")
    func hexadecimalRoundTrip() {
        for bytes in samples() { #expect(Hexadecimal.decode(Hexadecimal.encode(bytes)) == bytes) }
        #expect(Hexadecimal.decode("00fF") == [0, 255])
    }

    @Test("hexadecimal refuses an odd digit and foreign characters", arguments: ["0", "0g", "0x", " 0", "é"])
    func hexadecimalIsStrict(text: String) {
        #expect(Hexadecimal.decode(text) == nil)
    }

    @Test("one text stands for one run of bytes: whatever is read back is written alike")
    func oneTextForOneValue() {
        var generator = SeededGenerator(seed: 9)
        let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=".utf8)
        for _ in 0..<20_000 {
            let count = Int(generator.number(below: 12))
            let text = String(
                decoding: (0..<count).map { _ in
                    alphabet[Int(generator.number(below: UInt64(alphabet.count)))]
                },
                as: UTF8.self)
            if let bytes = Base64URL.decode(text) { #expect(Base64URL.encode(bytes) == text) }
            if let bytes = Base32.decode(text.utf8) { #expect(Base32.encode(bytes) == text) }
        }
    }
}
