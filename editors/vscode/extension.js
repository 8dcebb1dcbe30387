// Starts `linnaeus lsp` for .onto files.
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = async () => {
  const command = vscode.workspace.getConfiguration("linnaeus").get("command");
  client = new LanguageClient(
    "linnaeus",
    "Linnaeus",
    { command, args: ["lsp"] },
    {
      documentSelector: [{ language: "onto" }],
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.{onto,csv}") },
    },
  );
  try {
    await client.start();
  } catch {
    vscode.window.showErrorMessage(
      `\`${command} lsp\` did not start. Install it with: pip install 'linnaeus[lsp]', or set linnaeus.command to its path.`,
    );
  }
};

exports.deactivate = () => client?.stop();
