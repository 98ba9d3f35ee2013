namespace Telemetry.Tests.Kubernetes;

/// <summary>Values files as operators write them; every check of the chart is made with each.</summary>
internal static class Overrides
{
    public const string Default = "default";

    public static IReadOnlyDictionary<string, string> Files { get; } = new Dictionary<string, string>
    {
        [Default] = "",
        ["registry"] = """
            image:
              registry: registry.example.com:5000/telemetry
              tag: 1.2.3
              pullPolicy: Always
              pullSecrets: [registry, mirror]
            """,
        ["load balancer"] = """
            service:
              gateway:
                type: LoadBalancer
                port: 80
                nodePort: 30080
                annotations:
                  example.com/internal: true
                  example.com/idle-timeout: "60"
                loadBalancerSourceRanges: [10.0.0.0/8]
            """,
        ["node port"] = """
            service:
              gateway:
                type: NodePort
                nodePort: 30081
            """,
        ["ingress"] = """
            ingress:
              enabled: true
              className: nginx
              annotations:
                cert-manager.io/cluster-issuer: letsencrypt
              hosts: [telemetry.example.com, gpus.example.com]
              tls:
                - secretName: telemetry-tls
                  hosts: [telemetry.example.com, gpus.example.com]
            """,
        ["existing objects"] = """
            persistence:
              broker: { enabled: false }
              store: { enabled: false, existingClaim: fast-disk }
            streamer:
              input: { existingClaim: csv-files }
            config:
              streamer:
                CSV_FILE: /input/*.csv
            existingSecrets: { broker: ours, streamer: ours, collector: ours, gateway: ours }
            """,
        ["storage classes"] = """
            persistence:
              broker: { size: 10Gi, storageClass: ssd, accessMode: ReadWriteOncePod }
              store: { size: 200Gi, storageClass: local-nvme }
            """,
        ["fixed replicas"] = """
            autoscaling:
              streamer: { enabled: false }
              collector: { enabled: false }
              gateway: { enabled: false }
            replicas: { streamer: 3, collector: 2, gateway: 0 }
            """,
        ["no policies"] = """
            networkPolicy: { enabled: false }
            podDisruptionBudget: { enabled: false }
            """,
        ["traces"] = """
            config:
              broker: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel.monitoring:4317" }
              gateway: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel.monitoring:4317" }
            secrets:
              gateway: { OTEL_EXPORTER_OTLP_HEADERS: "api-key=a:b,c=\"d\"" }
            networkPolicy:
              otlp:
                ports: [4317]
                to:
                  - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: monitoring } }
              extraEgress:
                - to: [{ ipBlock: { cidr: 10.1.0.0/16 } }]
                  ports: [{ protocol: TCP, port: 443 }]
            """,
        ["ports and nodes"] = """
            config:
              broker: { PORT: "7001", METRICS_PORT: 7002 }
              gateway: { PORT: 7003 }
            nodeSelector: { disktype: ssd, gpu: "false" }
            tolerations:
              - { key: dedicated, operator: Equal, value: telemetry, effect: NoSchedule }
            resources:
              broker:
                limits: { cpu: 4 }
            """,
        ["odd settings"] = OddSettings,
    };

    /// <summary>Values that break a template which only pastes them.</summary>
    public const string OddSettings = """
        config:
          broker:
            MAX_MESSAGES_PER_PARTITION: 100000000
            FSYNC: "10ms"
            DOTNET_EnableDiagnostics: 1
          streamer:
            LOOP_DATA: false
            TOPIC: 'a: "b" # {{ .Values.x }} \n''c'''
            CSV_FILE: "/input/ä ö.csv\n  key: injected\n---\n"
          collector:
            CONSUMER_GROUP: null
            TOPIC: 0123
            BATCH_SIZE: 1.5
        secrets:
          collector:
            PASSWORD_OF_MINE: "tab\t\\ back `quote` $(x) <&>"
            on: "yes"
        """;

    public static TheoryData<string> Names => [.. Files.Keys];
}
