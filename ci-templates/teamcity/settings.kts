// Kotlin DSL: copy the build type. testgrid.token is a parameter of the kind "password".
import jetbrains.buildServer.configs.kotlin.*
import jetbrains.buildServer.configs.kotlin.buildSteps.script

version = "2024.03"

project {
    buildType(DeviceTests)
}

object DeviceTests : BuildType({
    name = "Device tests"
    artifactRules = """
        gridlane-out/job => gridlane-out/job
        -:gridlane-out/job/journal.jsonl
        -:gridlane-out/job/state
    """.trimIndent()
    params {
        param("env.TESTGRID_URL", "https://testgrid.example")
        password("env.TESTGRID_TOKEN", "%testgrid.token%")
    }
    vcs { root(DslContext.settingsRoot) }
    steps {
        script {
            name = "run on devices"
            scriptContent = "exec gridlane run ci/nightly.yml --out gridlane-out/job"
        }
        script {
            name = "give devices back"
            executionMode = BuildStep.ExecutionMode.ALWAYS
            scriptContent = "gridlane cleanup gridlane-out/job"
        }
    }
    failureConditions { executionTimeoutMin = 120 }
})
