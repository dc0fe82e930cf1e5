import MeshBase
import NIOCore
import NIOSSL

/// A node certificate with its key: what this node shows in TLS.
public struct LinkCredentials: Sendable, Equatable {
    /// The leaf certificate in DER.
    public let certificate: [UInt8]
    /// Its P-256 private key, in DER (SEC 1 or PKCS#8) or PEM.
    public let privateKey: [UInt8]

    public init(certificate: [UInt8], privateKey: [UInt8]) {
        self.certificate = certificate
        self.privateKey = privateKey
    }
}

/// The TLS contexts made of one set of credentials, for connections that begin from now on.
///
/// TLS 1.3 only; a P-256 key is required of both sides; a client certificate is asked for. Whether one was
/// shown is a fact that is reported, not judged here: the trust decision names it as its reason. The contexts
/// are made anew at every renewal and change of trust, since a BoringSSL server hands out session tickets
/// whose keys live in the context, and there is no switch for that.
struct LinkContexts {
    let certificate: [UInt8]
    private let peerClient: NIOSSLContext
    private let pairingClient: NIOSSLContext
    private let server: NIOSSLContext

    init(_ credentials: LinkCredentials, pairing: PairingDoor) throws(LinkError) {
        certificate = credentials.certificate
        do {
            let leaf = try NIOSSLCertificate(bytes: credentials.certificate, format: .der)
            let isPEM = credentials.privateKey.starts(with: Array("-----BEGIN".utf8))
            let key = try NIOSSLPrivateKey(bytes: credentials.privateKey, format: isPEM ? .pem : .der)
            func context(_ base: TLSConfiguration, _ protocols: [LinkProtocol]) throws -> NIOSSLContext {
                try NIOSSLContext(configuration: configured(base, leaf: leaf, key: key, protocols: protocols))
            }
            let serverBase = TLSConfiguration.makeServerConfiguration(
                certificateChain: [.certificate(leaf)], privateKey: .privateKey(key))
            peerClient = try context(.makeClientConfiguration(), [.peer])
            pairingClient = try context(.makeClientConfiguration(), [.pairing])
            server = try context(serverBase, pairing == .open ? [.peer, .pairing] : [.peer])
        } catch {
            throw .credentials(cause: String(describing: error))
        }
    }

    /// The handler for a connection that this node dials.
    func clientHandler(_ protocol: LinkProtocol, presented: PresentedCertificate) throws -> NIOSSLHandler {
        try NIOSSLClientHandler(
            context: `protocol` == .peer ? peerClient : pairingClient, serverHostname: nil,
            customVerificationCallback: presented.accept)
    }

    /// The handler for a connection that came in.
    func serverHandler(presented: PresentedCertificate) -> NIOSSLHandler {
        NIOSSLServerHandler(context: server, customVerificationCallback: presented.accept)
    }
}

private func configured(
    _ base: TLSConfiguration, leaf: NIOSSLCertificate, key: NIOSSLPrivateKey, protocols: [LinkProtocol]
) -> TLSConfiguration {
    var configuration = base
    configuration.certificateChain = [.certificate(leaf)]
    configuration.privateKey = .privateKey(key)
    configuration.minimumTLSVersion = .tlsv13
    configuration.maximumTLSVersion = .tlsv13
    configuration.certificateVerification = .optionalVerification
    configuration.trustRoots = .certificates([])
    configuration.curves = [.x25519, .secp256r1]
    configuration.verifySignatureAlgorithms = [.ecdsaSecp256R1Sha256]
    configuration.signingSignatureAlgorithms = [.ecdsaSecp256R1Sha256]
    configuration.applicationProtocols = protocols.map(\.rawValue)
    configuration.shutdownTimeout = .seconds(1)
    return configuration
}

/// The leaf certificate that TLS showed in this very handshake. Confined to the connection's event loop.
///
/// A resumed session has a certificate too, the one of the earlier session, and BoringSSL answers it when
/// asked. It counts for nothing: the callback was not called, so nobody proved its key now. The callback
/// accepts whatever can be parsed; trust is decided elsewhere, after the handshake, on every connection.
final class PresentedCertificate {
    private var leaf: NIOSSLCertificate?

    /// BoringSSL's question whether the chain is good.
    func accept(chain: [NIOSSLCertificate], promise: EventLoopPromise<NIOSSLVerificationResult>) {
        leaf = chain.first
        promise.succeed(leaf == nil ? .failed : .certificateVerified)
    }

    /// The DER of the leaf, if it was shown in this handshake and is the one that the finished session names.
    func proved(by session: NIOSSLCertificate?) throws -> [UInt8]? {
        guard let leaf, let session, leaf == session else { return nil }
        return try leaf.toDERBytes()
    }
}
