import MeshBase
import MeshNode
import MeshRouting
import MeshTrust

// Applications that ask, and the services that answer.
extension World {
    static let orders = ResourceName.named("orders")
    private static let list = Capability(name: .named("list"), methods: ["GET"], path: "/list", safety: .safe)
    private static let put = Capability(
        name: .named("put"), methods: ["PUT"], path: "/item", safety: .idempotent)
    /// Who asks now and then in place of the machine itself.
    static let ann = Principal.named("ann")
    private static let pay = Capability(name: .named("pay"), methods: ["POST"], path: "/pay", safety: .unsafe)

    /// Where a host stands: there are three zones.
    static func zone(of host: Int) -> ResourceLabel {
        ResourceLabel(key: .named("zone"), value: "z\(host % 3)")
    }

    /// The service `orders`, as the node of `host` provides it. Of every third, callers may keep what `list`
    /// answers.
    static func orders(at host: Int) -> LocalResource {
        LocalResource(
            description: ResourceDescription(
                name: orders, protocol: .http, capabilities: [list, put, pay],
                labels: [ResourceLabel(key: .named("kind"), value: "simulated"), zone(of: host)]),
            url: "http://127.0.0.1:8080", timeoutInMilliseconds: 4_000,
            kept: host % 3 == 1 ? [KeptCapability(capability: list.name, time: .seconds(30))] : [])
    }

    /// The next request of an application of this host, and the one after.
    mutating func ask(_ number: Int) {
        // At the end nothing is under way, so that all is told.
        guard plan.end - time > .seconds(15) else { return }
        let pause = chance.duration(from: .milliseconds(300), through: .seconds(6))
        schedule(.ask(host: number), after: pause / questionsForOne(at: number))
        guard let agent = hosts[number].agent, agent.desk != nil else { return }
        let id = checks.newRequest()
        let isEcho = happens(300)
        let key = drawKey(host: number)
        // What repeats a key repeats the request.
        let drawn = [Self.list, Self.put, Self.pay][Int(chance.number(below: 3))].name
        let capability = key.map { [Self.put, Self.pay][$0 % 2].name } ?? drawn
        let text = key.map { "key-\(number)-\($0)" }
        let seconds = Int64(chance.number(below: 10)) + 1
        let target = drawTarget(host: number, isEcho: isEcho)
        let isUpload = key == nil && !isEcho && isUploadTime(id)
        let request =
            isUpload
            ? upload(id, to: target, within: .seconds(seconds))
            : LocalRequest(
                id: id, target: target, resource: isEcho ? .echo : Self.orders,
                form: .invoke(capability: isEcho ? nil : capability, query: nil),
                principal: key == nil && id.number.isMultiple(of: 3) ? Self.ann : .local,
                deadline: .seconds(seconds),
                idempotencyKey: text,
                body: .whole(length: 64, digest: suite.digest(Array((text ?? "").utf8))))
        tellNews(at: number)
        statistics.calls += 1
        checks.calls.asked(request, of: agent.run, at: time)
        // An upload takes as long as its application does.
        if !isUpload { watch?.asked(id, at: time) }
        call(agent.run, .requested(request))
        if isUpload { schedule(.upload(agent.run, id, step: 1), after: .milliseconds(700)) }
        if happens(20) {
            schedule(.leave(agent.run, id), after: chance.duration(from: .zero, through: .seconds(2)))
        }
    }

    /// Some have no key, some a new one, and some repeat an earlier one: an application that was restarted,
    /// say.
    private mutating func drawKey(host: Int) -> Int? {
        guard happens(500) else { return nil }
        let used = script.keysUsed[host]
        if used > 0, happens(250) { return Int(chance.number(below: UInt64(used))) }
        script.keysUsed[host] = used + 1
        return used
    }

    private mutating func drawTarget(host: Int, isEcho: Bool) -> CallTarget {
        if !isEcho, happens(600) { return .any }
        if happens(850), let trusted = hosts[host].agent?.node.trust.pins.peers.keys, !trusted.isEmpty {
            return .node(trusted[Int(chance.number(below: UInt64(trusted.count)))])
        }
        let other = (host + 1 + Int(chance.number(below: UInt64(plan.nodes - 1)))) % plan.nodes
        return .node(hosts[other].node)
    }

    mutating func leave(_ run: RunID, _ request: RequestID) {
        guard isAlive(run), checks.calls.left(request, of: run) else { return }
        call(run, .cancelled(request))
    }

    // MARK: Services

    /// A desk asks a resource.
    mutating func serve(
        _ service: ServiceID, _ resource: LocalResource, _ invocation: Invocation, _ run: RunID
    ) {
        hosts[run.host].agent?.services.insert(service)
        guard resource.url != nil else {
            return schedule(.service(run, service, .answer), after: .microseconds(50))
        }
        let work = invocation.idempotencyKey.map { key in
            let caller: NodeID =
                if case .inbound(let inbound) = service {
                    peer(on: inbound.connection, of: run) ?? hosts[run.host].node
                } else { hosts[run.host].node }
            return IdempotentWork(caller: caller, key: key)
        }
        let isMutating = resource.description.capability(invocation.capability)?.safety.isMutating ?? true
        schedule(.service(run, service, .begin(isMutating ? work : nil)), after: .microseconds(200))
    }

    private func peer(on connection: ConnectionID, of run: RunID) -> NodeID? {
        guard let (id, end) = place(connection, of: run) else { return nil }
        return pipes[id]?[end].admitted
    }

    mutating func serve(_ run: RunID, _ service: ServiceID, _ stage: ServiceStage) {
        guard isAlive(run), hosts[run.host].agent?.services.contains(service) == true else { return }
        switch stage {
        case .begin(let work): beginWork(work, service, run)
        case .answer:
            schedule(.service(run, service, .end), after: moment(upTo: .milliseconds(3)))
            call(run, .resourceAnswered(service, status: 200, headers: []))
        case .end:
            hosts[run.host].agent?.services.remove(service)
            call(run, .resourceEnded(service, Self.answerBody(suite), kept: Octets([1, 2, 3])))
        case .refuse:
            hosts[run.host].agent?.services.remove(service)
            call(run, .resourceFailed(service, .unreachable, .none))
        case .breakOff:
            hosts[run.host].agent?.services.remove(service)
            call(run, .resourceFailed(service, .connectionLost, .possible))
        }
    }

    private mutating func beginWork(_ work: IdempotentWork?, _ service: ServiceID, _ run: RunID) {
        let health = hosts[run.host].service
        guard health != .dead else {
            return schedule(.service(run, service, .refuse), after: .milliseconds(1))
        }
        statistics.executions += 1
        if let work, let text = checks.calls.executed(work, at: run.host) {
            if work.caller == hosts[run.host].node {
                statistics.ownRepeats += 1
            } else {
                breach(.executedOnce, "\(hosts[run.host].name) did \(text)")
            }
        }
        switch health {
        case .healthy: schedule(.service(run, service, .answer), after: moment(upTo: .milliseconds(20)))
        case .slow: schedule(.service(run, service, .answer), after: moment(upTo: .seconds(6)))
        case .stalled, .dead: break
        case .breaking: schedule(.service(run, service, .breakOff), after: moment(upTo: .milliseconds(20)))
        }
    }
}

extension Principal {
    fileprivate static func named(_ text: String) -> Principal {
        guard let name = Principal(text) else { preconditionFailure("\(text) is no principal") }
        return name
    }
}

extension ResourceName {
    static func named(_ text: String) -> ResourceName {
        guard let name = ResourceName(text) else { preconditionFailure("\(text) is no name of a resource") }
        return name
    }
}
