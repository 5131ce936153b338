// Arithmetic as a tool: a model that writes numbers token by token guesses their digits; this does not. A recursive descent over the usual grammar, in double precision.
using System.Globalization;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Tool.Calculator;

/// <summary>Evaluates arithmetic expressions.</summary>
[Plugin("tool.calculator", "Evaluates an arithmetic expression.")]
public sealed class CalculatorTool : IToolPlugin
{
    /// <inheritdoc/>
    public IReadOnlyList<ToolFunction> Open(ToolContext context) => [new Function()];

    private sealed class Function() : ToolFunction("calculator", "Evaluates an arithmetic expression and gives the number, such as (2 + 3) * sqrt(16).", """
        {
          "type": "object",
          "properties": {
            "expression": { "type": "string", "minLength": 1, "maxLength": 1000, "description": "Numbers, + - * / % ^, brackets, pi, e, and abs, ceil, cos, exp, floor, ln, log10, max, min, round, sin, sqrt, tan" }
          },
          "required": ["expression"],
          "additionalProperties": false
        }
        """)
    {
        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            var expression = Text(arguments, "expression") ?? "";
            var value = new Expression(expression).Evaluate();
            if (!double.IsFinite(value)) throw new UserErrorException($"'{expression}' has no finite value");
            return ValueTask.FromResult<object?>(value.ToString("G15", CultureInfo.InvariantCulture));
        }
    }
}
