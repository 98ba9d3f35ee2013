namespace Telemetry.Messaging.Records;

/// <summary>A record batch that cannot be decoded, or records that cannot be encoded; the message says what and where.</summary>
public sealed class RecordBatchException(string message) : Exception(message);
