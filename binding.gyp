# node-gyp only calls the one real build (CMake, through the npm script). package.json says "gypfile": false.
{
  "targets": [
    {
      "target_name": "orchestrator",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["build/orchestrator.node"],
          "action": ["node", "js/dev/run.mjs", "build"]
        }
      ]
    }
  ]
}
