/// A systemd unit for the agent of one home, as hard as its scope allows.
///
/// A system service has a user of its own that exists while it runs (`DynamicUser`), so that installing makes
/// no user and uninstalling leaves none; its home is the unit's state folder. A user's service lacks the
/// right to most namespaces: what a filter of system calls gives is there.
struct ServiceUnit {
    /// Whose service manager runs it.
    enum Scope { case system, user }

    let scope: Scope
    /// Absolute path of the program.
    let program: String
    /// The home; absolute.
    let home: String

    static let name = "comity.service"
    /// The folder that systemd makes for a system service, and the home of one.
    static let stateFolder = "/var/lib/comity"
    /// By which `uninstall` knows what `install` made.
    static let mark = "# Made by `comity service install`; `comity service uninstall` removes it."

    /// Starts with the first process that may want it.
    var target: String { scope == .system ? "multi-user.target" : "default.target" }

    var text: String {
        var lines = [
            Self.mark, "[Unit]", "Description=Comity agent of \(home)", "Documentation=man:comity(1)",
        ]
        if scope == .system {
            lines += ["Wants=network-online.target", "After=network-online.target avahi-daemon.service"]
        }
        lines += [
            "", "[Service]", "Type=notify", "NotifyAccess=main",
            "ExecStart=\(quoted(program)) up --home \(quoted(home))",
            "ExecReload=\(quoted(program)) config reload --home \(quoted(home))",
            "Restart=on-failure", "RestartSec=2s", "TimeoutStartSec=60s", "TimeoutStopSec=30s",
            "WatchdogSec=60s", "LimitNOFILE=65536", "UMask=0077",
        ]
        if scope == .system { lines += system }
        lines += hardening
        lines += ["", "[Install]", "WantedBy=\(target)"]
        return lines.joined(separator: "\n") + "\n"
    }

    private var system: [String] {
        [
            "", "# A user of its own, and one folder to write in.", "DynamicUser=yes", "User=comity",
            "StateDirectory=comity", "StateDirectoryMode=0700", "Environment=HOME=\(Self.stateFolder)",
            "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes",
            "PrivateUsers=yes", "ProtectClock=yes", "ProtectControlGroups=yes", "ProtectHostname=yes",
            "ProtectKernelLogs=yes", "ProtectKernelModules=yes", "ProtectKernelTunables=yes",
            "ProtectProc=invisible", "RemoveIPC=yes", "CapabilityBoundingSet=", "AmbientCapabilities=",
            "KeyringMode=private", "DevicePolicy=closed",
        ]
    }

    private var hardening: [String] {
        [
            "", "# Nothing it never needs.", "NoNewPrivileges=yes", "LockPersonality=yes",
            "MemoryDenyWriteExecute=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes",
            "RestrictNamespaces=yes", "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
            "SystemCallArchitectures=native", "SystemCallFilter=@system-service",
            "SystemCallFilter=~@privileged @resources", "SystemCallErrorNumber=EPERM",
        ]
    }

    /// One word of a command line, as systemd.service(5) reads it.
    private func quoted(_ word: String) -> String {
        let escaped = word.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("%", with: "%%").replacing("$", with: "$$")
        return escaped.contains { $0 == " " || $0 == "\\" || $0 == "\"" } ? "\"\(escaped)\"" : escaped
    }
}
