using System.Globalization;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Telemetry.AppHost.Kubernetes;

/// <summary>A values.yaml with a comment above each key, in the order in which keys are set.</summary>
internal sealed class HelmValues
{
    private const int CommentWidth = 110;

    private readonly OrderedDictionary<string, HelmValues> _children = [];
    private string? _comment;
    private object _value = new Dictionary<string, object>();

    /// <summary>Sets a value.</summary>
    /// <param name="path">Its keys, with dots between them.</param>
    /// <param name="value">A text (written in quotes), a number, a bool, a list or a mapping of these.</param>
    /// <param name="comment">What an operator must know.</param>
    public HelmValues Set(string path, object value, string? comment = null)
    {
        var node = At(path.Split('.'));
        node._value = value;
        node._comment = comment ?? node._comment;
        return this;
    }

    /// <summary>Sets the comment of a section.</summary>
    public HelmValues Section(string path, string comment)
    {
        At(path.Split('.'))._comment = comment;
        return this;
    }

    /// <summary>Sets the comment of everything in a section that has none.</summary>
    public HelmValues Rest(string path, string comment)
    {
        foreach (var child in At(path.Split('.'))._children.Values)
            child._comment ??= comment;
        return this;
    }

    /// <summary>Takes over the values of a publisher: they win over those that were set, and what was not set is appended.</summary>
    public HelmValues Take(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        if (stream.Documents is [{ RootNode: YamlMappingNode root }, ..])
            Take(root);
        return this;
    }

    public string ToYaml()
    {
        var text = new StringBuilder();
        using var writer = new StringWriter(text, CultureInfo.InvariantCulture) { NewLine = "\n" };
        var emitter = new Emitter(writer, new EmitterSettings().WithIndentedSequences());
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Emit(emitter);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return text.ToString();
    }

    private HelmValues At(IEnumerable<string> path)
    {
        var node = this;
        foreach (var key in path)
        {
            if (!node._children.TryGetValue(key, out var child))
                node._children[key] = child = new HelmValues();
            node = child;
        }
        return node;
    }

    private void Take(YamlMappingNode mapping)
    {
        foreach (var (key, value) in mapping.Children)
        {
            var child = At([((YamlScalarNode)key).Value!]);
            if (value is YamlMappingNode section)
                child.Take(section);
            else if (value is YamlScalarNode scalar)
                child._value = scalar.Value ?? "";
        }
    }

    private void Emit(IEmitter emitter)
    {
        if (_children.Count == 0)
        {
            EmitValue(emitter, _value);
            return;
        }
        emitter.Emit(new MappingStart(null, null, isImplicit: true, MappingStyle.Block));
        foreach (var (key, child) in _children)
        {
            foreach (var line in Lines(child._comment))
                emitter.Emit(new Comment(line, isInline: false));
            emitter.Emit(new Scalar(key));
            child.Emit(emitter);
        }
        emitter.Emit(new MappingEnd());
    }

    private static void EmitValue(IEmitter emitter, object value)
    {
        switch (value)
        {
            case string text:
                emitter.Emit(new Scalar(null, null, text, ScalarStyle.DoubleQuoted, isPlainImplicit: false, isQuotedImplicit: true));
                break;
            case bool flag:
                emitter.Emit(new Scalar(flag ? "true" : "false"));
                break;
            case IReadOnlyDictionary<string, object> entries:
                emitter.Emit(new MappingStart(null, null, isImplicit: true, entries.Count == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach (var (key, entry) in entries)
                {
                    emitter.Emit(new Scalar(key));
                    EmitValue(emitter, entry);
                }
                emitter.Emit(new MappingEnd());
                break;
            case IEnumerable<object> items:
                var list = items.ToList();
                emitter.Emit(new SequenceStart(null, null, isImplicit: true, list.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (var item in list)
                    EmitValue(emitter, item);
                emitter.Emit(new SequenceEnd());
                break;
            default:
                emitter.Emit(new Scalar(Convert.ToString(value, CultureInfo.InvariantCulture)!));
                break;
        }
    }

    /// <summary>A comment in lines of a readable width.</summary>
    private static IEnumerable<string> Lines(string? comment)
    {
        var line = new StringBuilder();
        foreach (var word in (comment ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > CommentWidth)
            {
                yield return line.ToString();
                line.Clear();
            }
            line.Append(line.Length > 0 ? " " : "").Append(word);
        }
        if (line.Length > 0)
            yield return line.ToString();
    }
}
