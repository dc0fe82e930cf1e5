import Testing

@testable import MeshAgent

@Suite("Pages of the program")
struct ProgramTrimTests {
    @Test("that are let go are code out of files, and nothing that could have been written to")
    func ranges() {
        let maps = """
            55d0c0000000-55d0c0010000 r--p 00000000 fe:00 123 /usr/bin/comity
            55d0c0010000-55d0c0020000 r-xp 00010000 fe:00 123 /usr/bin/comity
            55d0c0020000-55d0c0030000 rw-p 00020000 fe:00 123 /usr/bin/comity
            55d0c0030000-55d0c0040000 rwxp 00020000 fe:00 123 /usr/bin/odd
            7f0000000000-7f0000010000 r-xp 00000000 00:00 0 [vdso]
            7f0000010000-7f0000020000 r-xp 00000000 00:00 0
            7f0000020000-7f0000030000 r-xs 00000000 fe:00 9 /usr/lib/shared
            nonsense r-xp 0 0 0 /x
            """
        #expect(ProgramTrim.codeRanges(in: maps) == [0x55d0_c001_0000..<0x55d0_c002_0000])
    }

    @Test("come back when they are needed")
    func comesBack() {
        for round in 0..<3 {
            ProgramTrim.giveBack()
            #expect((0..<100).map { "\($0 + round)" }.joined().count > 100)
        }
    }
}
