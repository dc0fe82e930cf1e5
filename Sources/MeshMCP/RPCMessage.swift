import MeshBase
import MeshWire

/// By which a request and its answer belong together: a text or a whole number, as whoever asks chose it.
public struct RPCID: Hashable, Sendable {
    /// As it is written in a message.
    public let json: [UInt8]

    /// Bytes of a text; what is longer is no identifier here.
    public static let textMax = 256

    /// One of this program's own.
    public init(_ number: Int64) { json = Array("\(number)".utf8) }

    /// Nil for what is no identifier: null, fractions, long texts.
    init?(_ value: ForeignJSON) {
        switch value {
        case .number(let number?): json = Array("\(number)".utf8)
        case .text(let text) where text.utf8.count <= Self.textMax: json = Array(JSONLine.quoted(text).utf8)
        default: return nil
        }
    }

    /// The number, where it is one.
    var number: Int64? { Int64(String(decoding: json, as: UTF8.self)) }
}

/// One message of JSON-RPC 2.0, as MCP uses it (Model Context Protocol 2025-06-18, "Messages"): no arrays of
/// messages. What passes on to others is kept as it came, on one line.
public enum RPCMessage: Equatable, Sendable {
    /// Wants an answer. `params` is an object; nil where there is none.
    case request(RPCID, method: String, params: [UInt8]?)
    /// Wants none.
    case notification(method: String)
    /// The answer to a request; its result is an object.
    case result(RPCID, [UInt8])
    /// The answer to a request that could not be done. `error` is an object with at least `code` and
    /// `message`.
    case error(RPCID, code: Int64, [UInt8])

    /// - Throws: what is wrong, as it is to be answered.
    public init(_ bytes: [UInt8]) throws(RPCFlaw) {
        let whole: ForeignJSON
        var places: [String: Range<Int>] = [:]
        do throws(ForeignJSONError) {
            whole = try ForeignJSON(bytes)
            if case .object = whole { places = try ForeignJSON.members(of: bytes) }
        } catch {
            throw .unreadable("\(error)")
        }
        guard case .object = whole else { throw .invalid(nil, "one message is one object") }
        let id = whole["id"].flatMap { RPCID($0) }
        guard whole.text("jsonrpc") == "2.0" else { throw .invalid(id, "jsonrpc is not \"2.0\"") }
        if whole["id"] != nil, id == nil { throw .invalid(nil, "id is a text or a whole number") }
        func part(_ name: String) -> [UInt8]? {
            guard case .object? = whole[name], let place = places[name] else { return nil }
            return JSONLine.onOneLine(bytes[place])
        }
        guard let method = whole.text("method") else {
            guard whole["method"] == nil, let id else { throw .invalid(id, "neither a method nor an answer") }
            switch (part("result"), whole["error"]) {
            case (let result?, nil): self = .result(id, result)
            case (nil, let error?):
                guard whole["result"] == nil, case .number(let code?)? = error["code"],
                    error.text("message") != nil, let json = part("error")
                else { throw .invalid(id, "an error has a code and a message") }
                self = .error(id, code: code, json)
            default: throw .invalid(id, "an answer is a result or an error, and either an object")
            }
            return
        }
        guard whole["result"] == nil, whole["error"] == nil else {
            throw .invalid(id, "a request and an answer")
        }
        guard let id else {
            self = .notification(method: method)
            return
        }
        let params = part("params")
        guard params != nil || whole["params"] == nil else { throw .invalid(id, "params is an object") }
        self = .request(id, method: method, params: params)
    }
}

/// Why bytes are no message, with the code of JSON-RPC 2.0 section 5.1 that says so.
public enum RPCFlaw: Error, Equatable, Sendable {
    /// They are no JSON that is read here; the text says what and where.
    case unreadable(String)
    /// They are JSON and no message. The request's identifier, where it has one.
    case invalid(RPCID?, String)
}

/// Codes of JSON-RPC 2.0 section 5.1.
public enum RPCCode {
    static let unreadable: Int64 = -32_700
    static let invalid: Int64 = -32_600
    static let methodUnknown: Int64 = -32_601
    static let paramsInvalid: Int64 = -32_602
    static let internalError: Int64 = -32_603
}
