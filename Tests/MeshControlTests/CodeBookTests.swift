import Foundation
import MeshBase
import Testing

@testable import MeshControl

@Suite struct CodeBookTests {
    private var page: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(path: "Docs/Codes.md")
    }

    /// `COMITY_WRITE_CODES=1` writes the page anew.
    @Test func `the page of codes is what the book says`() throws {
        if ProcessInfo.processInfo.environment["COMITY_WRITE_CODES"] == "1" {
            try CodeBook.page.write(to: page, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: page, encoding: .utf8) == CodeBook.page)
    }

    @Test(arguments: RefusalCode.allCases)
    func `every code is explained in sentences`(code: RefusalCode) {
        let entry = CodeBook.entry(for: code)
        #expect(entry.cause.count > 15 && entry.compared.count > 15)
        #expect(!entry.cause.hasSuffix(".") && !entry.compared.hasSuffix("."))
    }

    @Test func `no two codes are explained alike`() {
        #expect(
            Set(RefusalCode.allCases.map { CodeBook.entry(for: $0).cause }).count
                == RefusalCode.allCases.count)
    }
}
