import LinearModels
import RoostPlugin

@c(roost_plugin_entry) public func entry() -> UnsafeRawPointer {
    export(LinearModel.self, name: "linear", version: "1.0")
}
