/// Why bytes are not the message they should be, or a value cannot become bytes. `at` counts bytes from the
/// start of the message.
public enum WireError: Error, Equatable, Sendable {
    /// The message is longer than its kind may be; nothing of it was read.
    case tooLong(bytes: Int, limit: Int)
    /// The message ends where more must follow.
    case truncated(at: Int)
    /// Bytes follow the end of the message.
    case trailingBytes(at: Int)
    /// A message of a version that this program does not speak.
    case versionUnknown(UInt8)

    // JSON
    /// Not JSON: what was expected there.
    case syntax(String, at: Int)
    /// More levels of nesting than `Limits.documentDepth`.
    case tooDeep(at: Int)
    /// Not UTF-8, or half of a surrogate pair.
    case notUnicode(at: Int)
    /// A text that nobody may send.
    case textRefused(TextFlaw, at: Int)
    /// Not a whole number within 2^53 - 1, written without fraction, exponent, `-0` and leading zeros.
    case numberRefused(at: Int)
    /// `null`: a member without a value is left out.
    case nullRefused(at: Int)
    /// One object has two members of this name.
    case memberRepeated(String, at: Int)
    /// A member or element that nobody asked for.
    case memberUnknown(String, at: Int)
    /// A member or element that is needed and not there.
    case memberMissing(String, at: Int)
    /// Another kind of value than this one stands there.
    case kindMismatch(expected: String, at: Int)
    /// The value has the right kind but is none of those allowed; the text is the type's own reason.
    case valueRefused(String, at: Int)
    /// The envelope of a signed document breaks a rule of protocol section 10.
    case envelopeRefused(String, at: Int)
    /// The payload of a signed document is wrong; `at` in the inner error counts from the start of that
    /// payload.
    indirect case payloadRefused(WireError, at: Int)

    // Binary
    /// A field whose content is not allowed.
    case fieldRefused(String, at: Int)
    /// A frame type that this program does not know and that may not be skipped.
    case frameUnknown(UInt8)

    // Text
    /// Not the beginning of an invite.
    case notAnInvite
    /// An invite in which a character is wrong, missing or too many.
    case mistyped

    /// A value that has no encoding: what it is.
    case unencodable(String)
}

/// What is wrong with a text (protocol section 10).
public enum TextFlaw: String, Sendable, Equatable {
    /// Longer than allowed, and not base64url either.
    case tooLong = "is too long"
    /// Holds control or bidirectional characters.
    case notPlain = "holds control or bidirectional characters"
    /// Not in Unicode normalisation form C.
    case notNormalised = "is not in normalisation form C"
}

extension WireError: CustomStringConvertible {
    /// One sentence for people, without any byte that is not plain text.
    public var description: String {
        switch self {
        case .tooLong(let bytes, let limit): "\(bytes) bytes where at most \(limit) are allowed"
        case .truncated(let at): "ends too early, at byte \(at)"
        case .trailingBytes(let at): "goes on after its end, at byte \(at)"
        case .versionUnknown(let version): "is of version \(version), which this program does not speak"
        case .syntax(let expected, let at): "expected \(expected) at byte \(at)"
        case .tooDeep(let at): "is nested deeper than allowed, at byte \(at)"
        case .notUnicode(let at): "is not Unicode text at byte \(at)"
        case .textRefused(let flaw, let at): "the text at byte \(at) \(flaw.rawValue)"
        case .numberRefused(let at): "the number at byte \(at) is not a plain whole one within 2^53 - 1"
        case .nullRefused(let at): "null at byte \(at); a member without a value is left out"
        case .memberRepeated(let name, let at): "member \"\(name)\" comes twice, again at byte \(at)"
        case .memberUnknown(let name, let at): "member \"\(name)\" at byte \(at) is unknown"
        case .memberMissing(let name, let at): "member \"\(name)\" is missing in what begins at byte \(at)"
        case .kindMismatch(let expected, let at): "expected \(expected) at byte \(at)"
        case .valueRefused(let reason, let at):
            "the value at byte \(at) is refused: \(Fitting.text(reason, limit: 256))"
        case .envelopeRefused(let reason, let at): "the signed document at byte \(at) is refused: \(reason)"
        case .payloadRefused(let error, let at):
            "in the payload of the signed document at byte \(at): \(error)"
        case .fieldRefused(let field, let at): "the \(field) at byte \(at) is not allowed"
        case .frameUnknown(let type): "a frame of unknown type \(type), which may not be skipped"
        case .notAnInvite: "is not an invite: one begins with \(InviteLine.prefix)"
        case .mistyped:
            "is an invite in which a character is wrong, missing or too many; copy the whole line again"
        case .unencodable(let what): "cannot be encoded: \(what)"
        }
    }
}
