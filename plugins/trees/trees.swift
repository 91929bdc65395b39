import TreeModels
import RoostPlugin

@c(roost_plugin_entry) public func entry() -> UnsafeRawPointer {
    export(TreesModel.self, name: "trees", version: "1.0")
}
