using System.Collections;
using Aspire.Hosting.Kubernetes.Resources;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.EventEmitters;
using YamlDotNet.Serialization.NamingConventions;
using YamlDotNet.Serialization.ObjectGraphVisitors;

namespace Telemetry.Hosting.Publish;

/// <summary>
/// Writes YAML as Aspire's publisher does, byte for byte: keys in camelCase and in the order of their declaration, nothing
/// for null and for empty collections, every text in double quotes but for those that Helm turns into something else. An
/// object that stands in a file twice is written once and referred to with an alias.
/// </summary>
internal static class ChartSerializer
{
    private static readonly ISerializer Yaml = new SerializerBuilder()
        .WithNamingConvention(CamelCaseNamingConvention.Instance)
        .WithTypeConverter(new Int32OrStringConverter())
        .WithEventEmitter(next => new QuotingEmitter(next))
        .WithEmissionPhaseObjectGraphVisitor(arguments => new EmptyCollectionSkipper(arguments.InnerVisitor))
        .ConfigureDefaultValuesHandling(DefaultValuesHandling.OmitNull)
        .WithNewLine("\n")
        .WithIndentedSequences()
        .Build();

    public static string Serialize(object value) => Yaml.Serialize(value);

    private sealed class Int32OrStringConverter : IYamlTypeConverter
    {
        public bool Accepts(Type type) => type == typeof(Int32OrStringV1);

        public object ReadYaml(IParser parser, Type type, ObjectDeserializer rootDeserializer) => throw new NotSupportedException("charts are written only");

        public void WriteYaml(IEmitter emitter, object? value, Type type, ObjectSerializer serializer)
        {
            var either = (Int32OrStringV1)value!;
            serializer(either.Number is { } number ? number : either.Text ?? "");
        }
    }

    /// <summary>Quotes texts, but not keys. It counts the nodes of each mapping: keys and values take turns.</summary>
    private sealed class QuotingEmitter(IEventEmitter next) : ChainedEventEmitter(next)
    {
        private readonly Stack<Level> _levels = new();

        public override void Emit(ScalarEventInfo eventInfo, IEmitter emitter)
        {
            var isKey = Next();
            if (!isKey && eventInfo.Source.Type == typeof(string) && eventInfo.Source.Value is string text)
                eventInfo = new ScalarEventInfo(eventInfo.Source) { Style = HelmExpression.IsPlain(text) ? ScalarStyle.ForcePlain : ScalarStyle.DoubleQuoted };
            base.Emit(eventInfo, emitter);
        }

        public override void Emit(MappingStartEventInfo eventInfo, IEmitter emitter)
        {
            Next();
            _levels.Push(new Level(IsMapping: true));
            base.Emit(eventInfo, emitter);
        }

        public override void Emit(MappingEndEventInfo eventInfo, IEmitter emitter)
        {
            _levels.Pop();
            base.Emit(eventInfo, emitter);
        }

        public override void Emit(SequenceStartEventInfo eventInfo, IEmitter emitter)
        {
            Next();
            _levels.Push(new Level(IsMapping: false));
            base.Emit(eventInfo, emitter);
        }

        public override void Emit(SequenceEndEventInfo eventInfo, IEmitter emitter)
        {
            _levels.Pop();
            base.Emit(eventInfo, emitter);
        }

        private bool Next() => _levels.TryPeek(out var level) && level.NextIsKey();

        private sealed record Level(bool IsMapping)
        {
            private int _nodes;

            public bool NextIsKey() => IsMapping && _nodes++ % 2 == 0;
        }
    }

    private sealed class EmptyCollectionSkipper(IObjectGraphVisitor<IEmitter> next) : ChainedObjectGraphVisitor(next)
    {
        public override bool EnterMapping(IPropertyDescriptor key, IObjectDescriptor value, IEmitter context, ObjectSerializer serializer) =>
            value.Value is not null && (value.Value is not IEnumerable items || items.Cast<object>().Any()) && base.EnterMapping(key, value, context, serializer);
    }
}
